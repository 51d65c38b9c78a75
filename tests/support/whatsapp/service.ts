import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createZoneKeys } from '#adapters/keys/zone-keys.ts'
import { type RemoteWhatsApp, remoteWhatsApp } from '#adapters/whatsapp/remote.ts'
import type { SessionState } from '#core/whatsapp-session.ts'
import { freePorts } from '../../../demo/free-ports.ts'
import type { StandIn } from './stand-in.ts'

export const CHROMIUM = '/usr/bin/chromium'

/** The real WhatsApp service as a process, with a real browser, on a folder of its own. */
export interface WhatsAppHome extends AsyncDisposable {
  readonly root: string
  /** The service's own folder. */
  readonly folder: string
  readonly trust: string
  readonly keys: string
  readonly remote: RemoteWhatsApp
  readonly url: string
  readonly health: string
  readonly log: () => string
  /** Starts it, and waits until it answers. */
  start(settings?: Readonly<Record<string, string>>): Promise<void>
  /** SIGTERM, or what is said; waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  /** Waits for a state of the session. */
  state(wanted: SessionState, limitMs?: number): Promise<void>
  /** The pids of the browser itself. */
  browsers(): number[]
}

export async function makeWhatsAppHome(
  standIn: StandIn,
  settings: Readonly<Record<string, string>> = {},
): Promise<WhatsAppHome> {
  const root = mkdtempSync(join(tmpdir(), 'countersign-whatsapp-'))
  const folder = join(root, 'state', 'whatsapp')
  for (const one of ['vault', 'state']) mkdirSync(join(root, one))
  await createZoneKeys(root, 'local')
  const [port = 0, httpPort = 0] = await freePorts(2)
  const url = `http://127.0.0.1:${port}`
  const health = `http://127.0.0.1:${httpPort}`
  let child: ChildProcess | undefined
  let log = ''
  const remote = remoteWhatsApp({ url, folder })
  const home: WhatsAppHome = {
    ...{ root, folder, trust: join(root, 'trust'), keys: join(root, 'keys'), remote, url, health, log: () => log },
    async start(more = {}) {
      child = spawn(process.execPath, [join(import.meta.dirname, '../../../services/whatsapp/main.ts')], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...{ PATH: process.env.PATH, HOME: root, TMPDIR: process.env.TMPDIR },
          COUNTERSIGN_ZONE: 'local',
          COUNTERSIGN_VAULT: join(root, 'vault'),
          COUNTERSIGN_TRUST: join(root, 'trust'),
          COUNTERSIGN_WHATSAPP_STATE: folder,
          COUNTERSIGN_WHATSAPP_PORT: String(port),
          COUNTERSIGN_HTTP_PORT: String(httpPort),
          COUNTERSIGN_CHROMIUM: CHROMIUM,
          COUNTERSIGN_CHROMIUM_SANDBOX: 'false',
          COUNTERSIGN_WHATSAPP_PAGE: standIn.path,
          COUNTERSIGN_WHATSAPP_GAP_MS: '400',
          COUNTERSIGN_WHATSAPP_PAUSE_MS: '200',
          COUNTERSIGN_WHATSAPP_ACK_MS: '1500',
          ...settings,
          ...more,
        },
      })
      for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (log += String(chunk)))
      const mine = child
      await until('the service to answer', async () => {
        if (mine.exitCode !== null) throw new Error(`it ended: ${log}`)
        return remote.status().then(
          () => true,
          () => false,
        )
      })
    },
    async stop(signal = 'SIGTERM') {
      const mine = child
      if (!mine || mine.exitCode !== null || mine.signalCode !== null) return mine?.exitCode ?? null
      const ended = new Promise<number | null>((resolve) => mine.once('exit', resolve))
      mine.kill(signal)
      return ended
    },
    state: (wanted, limitMs = 30_000) =>
      until(
        `the session to be ${wanted}; ${log.slice(-500)}`,
        async () => (await remote.status()).state === wanted,
        limitMs,
      ),
    browsers: () => browsersOf(folder),
    async [Symbol.asyncDispose]() {
      await home.stop('SIGKILL')
      rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    },
  }
  return home
}

/** Looks again and again; a limit only says when a test has failed. */
export async function until(what: string, isSo: () => Promise<boolean> | boolean, limitMs = 30_000): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Processes of Chromium that have a profile below the folder open, without those they started. */
function browsersOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return line.includes(`--user-data-dir=${folder}`) && !line.includes('--type=') && line.includes('chrom')
      } catch {
        return false // it has ended meanwhile
      }
    })
    .map(Number)
}
