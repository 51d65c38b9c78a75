import { access, constants, readdir, readFile, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type BankScript, isOfBank, reachOf, readBankScript } from '#core/bank-script.ts'
import { CountersignError } from '#core/errors.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { StartEgress } from '#core/ports/egress.ts'
import type { PaymentWay } from '#core/ports/payment.ts'
import type { Log } from '#runtime/logger.ts'
import { bankWay } from './bank-way.ts'
import { browserKeeper } from './browser-keeper.ts'
import { type BrowserPage, type BrowserPlace, openBrowserPage } from './browser-page.ts'
import { requireOutside } from './launch.ts'

const MAX_SCRIPTS = 20

export interface BanksOptions {
  /** The scripts: `<bank>.yaml`. */
  readonly folder: string
  readonly vault: string
  readonly stateDir: string
  /** `host:port` of the browser in its own container; undefined: one of this machine is started. */
  readonly server: string | undefined
  readonly executable: string
  readonly isShown: boolean
  readonly hasSandbox: boolean
  /** The only way out of a browser of this machine. */
  readonly startEgress: StartEgress
  readonly clock: Clock
  readonly log: Log
}

/**
 * Reads every script. Throws ERR_CONFIG_INVALID when one is wrong, when the folder lies in the vault, where others could
 * write to it, or when others of this machine can.
 */
export async function readBankScripts(folder: string, vault?: string): Promise<BankScript[]> {
  const entries = await readdir(folder).catch((cause) => {
    throw new CountersignError('ERR_CONFIG_INVALID', `cannot read the bank scripts in ${folder}`, { cause })
  })
  if (vault !== undefined) await requireOutside(vault, folder, 'the bank scripts would lie')
  const files = entries.filter((name) => /^[a-z][a-z0-9-]*\.yaml$/.test(name)).sort()
  if (files.length > MAX_SCRIPTS)
    throw new CountersignError('ERR_CONFIG_INVALID', `more than ${MAX_SCRIPTS} bank scripts`)
  return Promise.all(
    files.map(async (name) => {
      const file = join(folder, name)
      const { mode, size } = await stat(file)
      const problems = (mode & 0o022) === 0 ? [] : ['others can write to it; chmod 600']
      const verdict = readBankScript(name.replace(/\.yaml$/, ''), size > 65_536 ? '' : await readFile(file, 'utf8'))
      if (!verdict.ok) problems.push(...verdict.problems)
      if (verdict.ok && problems.length === 0) return verdict.script
      throw new CountersignError('ERR_CONFIG_INVALID', `${file}: ${problems.join('; ')}`)
    }),
  )
}

/** What a browser for these banks needs: the proxy, and where it runs. Close `resources` at the end. */
export async function openBrowserFor(
  scripts: readonly BankScript[],
  options: Omit<BanksOptions, 'clock' | 'folder'>,
  resources: AsyncDisposableStack,
): Promise<{ readonly place: BrowserPlace; open(): Promise<BrowserPage> }> {
  const { vault, stateDir, server, executable, isShown, hasSandbox } = options
  await requireOutside(vault, stateDir, 'the browser’s profile, and the session at your bank, would lie')
  const place: BrowserPlace =
    server === undefined
      ? {
          ...{ kind: 'child', executable, isShown, hasSandbox, folder: join(stateDir, 'browser') },
          proxy: await ownProxy(scripts, options, resources),
        }
      : { kind: 'socket', ...addressOf(server) }
  const isAllowed = (address: string) => scripts.some((script) => isOfBank(address, script))
  return { place, open: () => openBrowserPage(place, isAllowed) }
}

/** The ways to pay through banks' own pages: one for each script. All use one browser, one after the other. */
export async function openBanks(options: BanksOptions, resources: AsyncDisposableStack): Promise<PaymentWay[]> {
  const { folder, vault, stateDir, isShown, clock, log } = options
  const scripts = await readBankScripts(folder, vault)
  if (scripts.length === 0) return []
  const { place, open } = await openBrowserFor(scripts, options, resources)
  const keeper = resources.use(browserKeeper(open))
  const browserFault = () => faultOf(place)
  return scripts.map((script) => bankWay({ script, keeper, stateDir, isShown, browserFault, clock, log }))
}

async function ownProxy(
  scripts: readonly BankScript[],
  { startEgress, log }: Pick<BanksOptions, 'startEgress' | 'log'>,
  resources: AsyncDisposableStack,
): Promise<string> {
  const egress = resources.use(
    await startEgress({
      ...{ reach: reachOf(scripts), host: '127.0.0.1', port: 0 },
      onRefused: (asked, isFirst) =>
        isFirst && log.info({ name: asked }, 'the browser asked for something it may not reach'),
    }),
  )
  return `127.0.0.1:${egress.port}`
}

function addressOf(server: string): { host: string; port: number } {
  const at = server.lastIndexOf(':')
  return { host: server.slice(0, at), port: Number(server.slice(at + 1)) }
}

/** Why there is no browser; undefined: there seems to be one. */
async function faultOf(place: BrowserPlace): Promise<string | undefined> {
  if (place.kind === 'child')
    return access(place.executable, constants.X_OK).then(
      () => undefined,
      () => `There is no browser at ${place.executable}: install Chromium, or set COUNTERSIGN_BROWSER.`,
    )
  const { host, port } = place
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect({ host, port, timeout: 3_000 })
    const end = (is: boolean) => () => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false))
  })
  return answers ? undefined : `The browser at ${host}:${port} does not answer.`
}
