import { setTimeout as delay } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { CountersignError } from '#core/errors.ts'
import { bankSettings } from '#runtime/bank-settings.ts'
import { parseConfig } from '#runtime/config.ts'
import { type Cli, example } from '../cli.ts'
import { EXIT } from '../exit-codes.ts'
import { environmentOf, type ZoneHome } from '../zone-home.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .command('list', { isDefault: true })
    .description('the banks there is a script for, after checking each')
    .action(async () => {
      const { scripts } = await banksOf(await cli.home())
      const banks = scripts.map(({ bank, title, origins }) => ({ bank, title, origins }))
      const lines = banks.map(({ bank, title, origins }) => `${bank}: ${title}, at ${origins.join(', ')}`)
      cli.answer({ banks }, lines.join('\n') || 'There is no script of a bank; see docs/banks.md.')
    })
  command
    .command('login')
    .argument('<bank>', 'its name, as in banks/<bank>.yaml')
    .description('open the bank in the browser that pays, so that you log in yourself; no password is kept')
    .option('--timeout-minutes <minutes>', 'how long it is waited for', wholeNumber, 10)
    .addHelpText(
      'after',
      `
Opens a window, so it needs a screen. The window reaches the bank and nothing else, and closes once you are logged in. With
the containers of compose.local.yml, stop the browser first: docker compose -f compose.local.yml stop browser`,
    )
    .addHelpText('after', example('bank login examplebank'))
    .action(async (bank: string, { timeoutMinutes }: { timeoutMinutes: number }) => {
      const isIn = await logIn(await cli.home(), bank, timeoutMinutes * 60_000, (line) => cli.say(line))
      cli.answer(
        { bank, logged_in: isIn },
        isIn ? `You are logged in at ${bank}.` : `Nobody logged in at ${bank}; nothing was changed.`,
      )
      cli.setExitCode(isIn ? EXIT.ok : EXIT.failed)
    })
  command
    .command('evidence')
    .argument('<digest>', 'sha256:…, as a task’s outcome has it')
    .description('where the picture of a bank’s page lies')
    .addHelpText('after', example(`bank evidence sha256:${'0'.repeat(16)}`))
    .action(async (digest: string) => {
      if (!/^sha256:[0-9a-f]{12,64}$/.test(digest))
        throw new CountersignError('ERR_USAGE', 'a digest is sha256: and at least 12 of its digits')
      const home = await cli.home()
      const { evidenceFiles } = await import('#adapters/browser/kept-files.ts')
      const [file] = await evidenceFiles(home.state, digest)
      if (file === undefined) throw new CountersignError('ERR_USAGE', `there is no picture of ${digest}`)
      cli.answer({ digest, file }, file)
    })
}

async function banksOf(home: ZoneHome) {
  if (home.zone !== 'local')
    throw new CountersignError('ERR_ZONE_FORBIDDEN', `banks in the ${home.zone} zone: only the local zone pays`)
  const verdict = parseConfig(bankSettings, environmentOf(home))
  if (!verdict.ok) throw new CountersignError('ERR_CONFIG_INVALID', verdict.faults.join('; '))
  const { config } = verdict
  const { readBankScripts, openBrowserFor } = await import('#adapters/browser/open-banks.ts')
  const scripts = config.banks === undefined ? [] : await readBankScripts(config.banks, home.vault)
  return { config, scripts, openBrowserFor }
}

/** Opens the bank in a window, and waits until the page shows that somebody is logged in. */
async function logIn(home: ZoneHome, bank: string, limitMs: number, say: (line: string) => void): Promise<boolean> {
  const { config, scripts, openBrowserFor } = await banksOf(home)
  const script = scripts.find((one) => one.bank === bank)
  if (!script) throw new CountersignError('ERR_USAGE', `there is no script banks/${bank}.yaml`)
  const { startEgress } = await import('#adapters/egress/egress-proxy.ts')
  await using resources = new AsyncDisposableStack()
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const { open } = await openBrowserFor(
    [script],
    {
      ...{ vault: home.vault, stateDir: home.state, server: undefined, executable: config.browserProgram },
      ...{ isShown: true, hasSandbox: config.browserSandbox === 'on', startEgress, log },
    },
    resources,
  )
  const page = resources.use(
    await open().catch((error: Error) => {
      throw new CountersignError('ERR_BROWSER_FAILED', `opening a window: ${error.message}`)
    }),
  )
  await page.open(script.login).catch((error: Error) => {
    throw new CountersignError('ERR_BROWSER_FAILED', `the browser cannot show ${script.login}: ${error.message}`)
  })
  say(`Log in at ${script.title} in the window that has opened.`)
  for (const end = performance.now() + limitMs; performance.now() < end; await delay(1_000)) {
    const shown = await page.textAt(script.signed_in.at).catch((error) => {
      // A page that is just exchanged is none; a window that was closed is.
      if (error.kind === 'page') return undefined
      throw new CountersignError('ERR_BROWSER_FAILED', `logging in was not finished: ${error.message}`)
    })
    if (shown?.trim() === script.signed_in.text) return true
  }
  return false
}

function wholeNumber(text: string): number {
  const value = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= 120) return value
  throw new InvalidArgumentError('expected a whole number from 1 to 120')
}
