import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { toString as toTerminal } from 'qrcode'
import { type LoginAnswer, type RemoteWhatsApp, remoteWhatsApp } from '#adapters/whatsapp/remote.ts'
import { CountersignError } from '#core/errors.ts'
import { type Cli, example } from '../cli.ts'
import { EXIT } from '../exit-codes.ts'
import { environmentOf } from '../zone-home.ts'

const LOOK_MS = 500
const DEFAULT_URL = 'http://127.0.0.1:8790'

export function configure(command: Command, cli: Cli): void {
  command.addHelpText('after', '\nSpeaks to the WhatsApp service of the local zone, which must run (docs/whatsapp.md).')
  command
    .command('login')
    .description('link a telephone: shows the code to scan, until it is scanned')
    .option('--minutes <n>', 'how long to wait for it', '3')
    .addHelpText('after', example('whatsapp login'))
    .action(async ({ minutes }: { minutes: string }) => {
      if (!/^[1-9]\d?$/.test(minutes))
        throw new CountersignError('ERR_USAGE', `--minutes ${minutes}: expected a number from 1 to 99`)
      const answer = await login(await serviceOf(cli), Number(minutes) * 60_000, cli)
      cli.answer({ ...answer, code: undefined }, answer.say)
      cli.setExitCode(answer.state === 'ready' ? EXIT.ok : EXIT.failed)
    })
  command
    .command('status')
    .description('how the session is')
    .addHelpText('after', example('whatsapp status'))
    .action(async () => {
      const status = await (await serviceOf(cli)).status()
      cli.answer({ ...status }, `${status.say}${status.own === undefined ? '' : ` Linked to ${status.own}.`}`)
      cli.setExitCode(status.state === 'ready' ? EXIT.ok : EXIT.failed)
    })
  command
    .command('logout')
    .description('take the link back: nothing of the session stays on this machine')
    .addHelpText('after', example('whatsapp logout'))
    .action(async () => {
      const { say, state } = await (await serviceOf(cli)).logout()
      cli.answer({ state, say }, say)
    })
}

async function login(service: RemoteWhatsApp, limitMs: number, cli: Cli): Promise<LoginAnswer> {
  const until = performance.now() + limitMs
  let answer = await service.login()
  let shown: string | undefined
  while (answer.state !== 'ready' && performance.now() < until) {
    if (answer.code !== undefined && answer.code !== shown) {
      shown = answer.code
      const page = answer.page?.startsWith('http://127.') ? `\nOr as a picture, for a few minutes: ${answer.page}` : ''
      cli.say(`${await toTerminal(shown, { type: 'terminal', small: true })}
On your telephone: WhatsApp, Settings, Linked devices, Link a device. The code changes every 20 seconds.${page}`)
    } else if (answer.code === undefined && shown === undefined) cli.say(answer.say)
    await delay(answer.code === undefined && shown === undefined ? LOOK_MS * 4 : LOOK_MS)
    answer = await service.loginState()
    // Codes were shown, and nobody scanned one.
    if (shown !== undefined && answer.state === 'logged-out') break
  }
  return answer
}

/** The service as it is reached from here: in the zone's network by its name, on this machine by its loopback port. */
async function serviceOf(cli: Cli): Promise<RemoteWhatsApp> {
  const home = await cli.home()
  if (home.zone !== 'local')
    throw new CountersignError('ERR_ZONE_FORBIDDEN', `WhatsApp was asked for in the ${home.zone} zone`)
  const { COUNTERSIGN_WHATSAPP_URL: set, COUNTERSIGN_WHATSAPP_STATE: folder } = environmentOf(home)
  const at = (url: string) => remoteWhatsApp({ url, folder: folder ?? join(home.state, 'whatsapp') })
  const urls = [...new Set([set ?? DEFAULT_URL, DEFAULT_URL])]
  for (const url of urls) {
    const isThere = await at(url)
      .status()
      .then(
        () => true,
        () => false,
      )
    if (isThere) return at(url)
  }
  throw new CountersignError('ERR_NOT_RUNNING', `the WhatsApp service answers at none of ${urls.join(', ')}`)
}
