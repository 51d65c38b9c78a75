import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type Cli, example, type GlobalOptions } from '../cli.ts'
import { terminalBlock, terminalText } from '../table.ts'

const TEXT = 'Hello,\n\ncould you tell me whether Tuesday at ten suits you?\n\nKind regards\nClara'

export function configure(command: Command, cli: Cli): void {
  const root = () => resolve(command.optsWithGlobals<GlobalOptions>().home ?? 'zones/playground')
  command
    .command('send')
    .description('the client of the playground writes to you')
    .option('--subject <text>', 'its subject', 'Tuesday at ten?')
    .option('--text <text>', 'what it says', TEXT)
    .addHelpText('after', example('mail send', 'mail send --subject "Invoice" --text "Could you send it again?"'))
    .action(async ({ subject, text }: { subject: string; text: string }) => {
      const { playgroundMail } = await import('../../demo/playground.ts')
      const { sendAsClient } = await import('../../demo/client-mail.ts')
      const { mail, owner } = await playgroundMail(root())
      const messageId = await sendAsClient(mail, { to: owner, subject, text })
      cli.answer({ message_id: messageId, to: owner }, `Sent “${terminalText(subject)}” to ${owner}.`)
    })
  command
    .command('inbox')
    .description('what the client of the playground got')
    .addHelpText('after', example('mail inbox', 'mail inbox --json'))
    .action(async () => {
      const { playgroundMail } = await import('../../demo/playground.ts')
      const { readClientInbox } = await import('../../demo/client-mail.ts')
      const letters = await readClientInbox((await playgroundMail(root())).mail)
      const rows = letters.map(({ subject, from, receivedAt, text }) => ({
        subject,
        from: from?.address ?? '',
        received: new Date(receivedAt).toISOString(),
        text,
      }))
      const shown = rows.map(
        (one) => `${one.received}  ${terminalText(one.from)}  ${terminalText(one.subject)}\n${terminalBlock(one.text)}`,
      )
      cli.answer(rows, shown.join('\n\n') || 'The client has no mail yet.')
    })
}
