import { createInterface } from 'node:readline/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { type AuthConversation, type AuthOptions, authoriseGmail } from '../auth-gmail.ts'
import { type Cli, example } from '../cli.ts'

const PORT = 8765

export function configure(command: Command, cli: Cli): void {
  addAuthOptions(command.command('gmail'))
    .description('get a token for this zone: the cloud may read and nothing else, the local zone may read and send')
    .option('--mailbox <name>', 'a further mailbox of mailboxes/mailboxes.json, instead of the first one')
    .addHelpText(
      'after',
      `
Prints an address to open in a browser, wherever that is. On a machine without one either forward the port (on your own
machine: ssh -L ${PORT}:127.0.0.1:${PORT} <this machine>), or paste the address at which the browser ends up, although it
shows an error there, into the terminal. Run again, it replaces the token.`,
    )
    .addHelpText(
      'after',
      example('auth gmail --zone cloud --client-file ./client_secret.json', 'auth gmail --zone local'),
    )
    .action(async (options: AuthOptions) => {
      const home = await cli.home()
      const closing = new AbortController()
      try {
        const { file, address, may, expiresAt, steps } = await authoriseGmail(
          home,
          options,
          conversationOnTerminal(closing.signal),
        )
        const ends = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString()
        const text = [
          `${address}: this zone may ${may === 'read' ? 'read its mail, and nothing else' : 'read and send its mail'}.`,
          `The token stands in ${file}.`,
          ends
            ? `Google ends it at ${ends}, as of every app in testing; docs/email.md tells how to get one that lasts.`
            : 'It lasts until it is revoked.',
          'A container that runs has to be started again to see the new file.',
          ...steps,
        ]
        cli.answer({ zone: home.zone, address, file, may, ...(ends && { expires_at: ends }), steps }, text.join('\n'))
      } finally {
        closing.abort()
      }
    })
}

export function addAuthOptions(command: Command): Command {
  return command
    .option('--client-file <file>', 'the JSON of your OAuth client, from Google’s console; needed the first time only')
    .option('--port <port>', 'where the browser’s answer is waited for, on loopback', wholeNumber(0, 65_535), PORT)
    .option('--timeout-minutes <minutes>', 'how long it is waited for', wholeNumber(1, 120), 10)
}

/** On stderr, also with --json: without the address nobody can go on. */
export function conversationOnTerminal(signal: AbortSignal): AuthConversation {
  return {
    show(url, redirectUri) {
      process.stderr.write(
        `Open this address in a browser, and agree there:\n\n${url}\n\nThe answer is waited for at ${redirectUri}\n`,
      )
    },
    async pasted() {
      if (process.stdin.isTTY !== true) return new Promise<never>(() => {})
      const terminal = createInterface({ input: process.stdin, output: process.stderr, historySize: 0 })
      signal.addEventListener('abort', () => terminal.close())
      // Ended by Ctrl-D: the browser may still answer.
      const asked = terminal.question('or paste here the address at which the browser ended up: ', { signal })
      return asked.catch(() => new Promise<never>(() => {}))
    },
  }
}

function wholeNumber(min: number, max: number) {
  return (text: string): number => {
    const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}`)
  }
}
