import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createZoneKeys } from '#adapters/keys/zone-keys.ts'
import { homeLayout, type ZoneHome } from '../../cli/zone-home.ts'
import type { Mailbox } from '../../demo/mailbox/mailbox.ts'
import { eventually } from './mail.ts'

/** The executor service, and the same with a switch that kills it at one step (tests/support/executor-crash-main.ts). */
export const EXECUTOR = join(import.meta.dirname, '../../services/executor/main.ts')
export const CRASHING_EXECUTOR = join(import.meta.dirname, 'executor-crash-main.ts')

/** A local zone's home with what an executor needs: keys, a password, settings for a real mail server. */
export interface RealExecutorHome extends Disposable {
  readonly root: string
  readonly home: ZoneHome
  readonly secrets: string
  readonly env: Readonly<Record<string, string>>
}

interface HomeOptions {
  readonly mailbox: Mailbox
  readonly redisUrl: string
  readonly undoMs: number
}

export async function makeExecutorHome(options: HomeOptions): Promise<RealExecutorHome> {
  const root = newRoot()
  for (const folder of ['vault', 'state', 'secrets']) mkdirSync(join(root, folder))
  await createZoneKeys(root, 'local')
  writeFileSync(join(root, 'secrets/password'), options.mailbox.accounts.owner.password, { mode: 0o600 })
  return executorHomeAt(root, options)
}

/** The same zone once more, as it stands now, on another mail server. No executor may run on the first meanwhile. */
export function copyExecutorHome(from: RealExecutorHome, options: HomeOptions): RealExecutorHome {
  const root = newRoot()
  cpSync(from.root, root, { recursive: true, preserveTimestamps: true })
  return executorHomeAt(root, options)
}

function newRoot(): string {
  return mkdtempSync(join(tmpdir(), 'countersign-zone-'))
}

function executorHomeAt(root: string, { mailbox, redisUrl, undoMs }: HomeOptions): RealExecutorHome {
  const secrets = join(root, 'secrets/password')
  const env = {
    PATH: process.env.PATH ?? '',
    COUNTERSIGN_ZONE: 'local',
    ...Object.fromEntries(
      ['vault', 'state', 'keys', 'trust'].map((name) => [`COUNTERSIGN_${name.toUpperCase()}`, join(root, name)]),
    ),
    COUNTERSIGN_REDIS_URL: redisUrl,
    COUNTERSIGN_HTTP_PORT: '0',
    COUNTERSIGN_SMTP_HOST: mailbox.smtp.host,
    COUNTERSIGN_SMTP_PORT: String(mailbox.smtp.port),
    COUNTERSIGN_SMTP_USER: mailbox.accounts.owner.address,
    COUNTERSIGN_SMTP_PASSWORD_FILE: secrets,
    COUNTERSIGN_SMTP_TLS: 'none',
    COUNTERSIGN_IMAP_HOST: mailbox.imap.host,
    COUNTERSIGN_IMAP_PORT: String(mailbox.imap.port),
    COUNTERSIGN_IMAP_USER: mailbox.accounts.owner.address,
    COUNTERSIGN_IMAP_PASSWORD_FILE: secrets,
    COUNTERSIGN_IMAP_TLS: 'none',
    COUNTERSIGN_OWNER_ADDRESS: mailbox.accounts.owner.address,
    COUNTERSIGN_OWNER_NAME: 'The owner',
    COUNTERSIGN_UNDO_MS: String(undoMs),
    COUNTERSIGN_EXECUTOR_RECONCILE_MS: '500',
  }
  return {
    ...{ root, home: homeLayout(root, 'local'), secrets, env },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

export interface RunningExecutor {
  readonly child: ChildProcess
  readonly url: string
  log(): string
}

/** Starts an executor; resolves once it listens. Throws with what it said when it ends before. */
export async function startExecutor(
  main: string,
  env: Readonly<Record<string, string>>,
  nodeFlags: readonly string[] = [],
): Promise<RunningExecutor> {
  const child = spawn(process.execPath, [...nodeFlags, main], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output = `${output}${chunk}`.slice(-200_000)
    })
  const port = await eventually('the executor listens', () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the executor ended:\n${output}`)
    return /"port":(\d+)/.exec(output)?.[1]
  })
  return { child, url: `http://127.0.0.1:${port}`, log: () => output }
}

/** How it ended: a signal or an exit code. */
export async function ended({ child }: RunningExecutor): Promise<string | number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.signalCode ?? child.exitCode
}
