import { join } from 'node:path'
import { compareTexts } from '#adapters/diff/compare-texts.ts'
import { imapSent } from '#adapters/imap/imap-sent.ts'
import { imapThreads } from '#adapters/imap/imap-thread.ts'
import { openJournal } from '#adapters/journal/journal.ts'
import { readPrivateKey } from '#adapters/keys/zone-keys.ts'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { connectInProcess } from '#adapters/mcp/in-process-client.ts'
import { composeMail } from '#adapters/mime/compose-mail.ts'
import { openReceived } from '#adapters/received/received.ts'
import { smtpSender } from '#adapters/smtp/smtp-sender.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { composeWithFiles } from '#mcp/email/compose-with-files.ts'
import { createEmailServer } from '#mcp/email/server.ts'
import { sendEmail } from '#mcp/email/tools/send-email.ts'
import { loadConfig } from '#runtime/config.ts'
import { imapAccountOf, smtpAccountOf } from '#runtime/mail-accounts.ts'
import { runService } from '#runtime/service.ts'
import { executorSettings } from '#services/executor/config.ts'
import { emailChannel } from '#services/executor/email-channel.ts'
import { openBooksChannels } from '#services/executor/main-books.ts'
import { openSocialChannels } from '#services/executor/main-social.ts'
import { runExecutor } from '#services/executor/run-executor.ts'
import { actingWith, type ExecutorParts, TOOL_LIMIT_MS, wireExecutor } from '#services/executor/wire-executor.ts'

// The executor with its real parts, which kills (or stops) itself at one step: TEST_SIGNAL at TEST_AT, for example
// SIGKILL at `after journal.consume`. It gives a mail half a second to appear in Sent instead of ten. Only tests start this file; the executor itself has no such switch.

const config = loadConfig('executor', executorSettings)
const at = process.env.TEST_AT
const signal = process.env.TEST_SIGNAL as 'SIGKILL' | 'SIGSTOP'

function mortal<T extends object>(name: string, target: T): T {
  return new Proxy(target, {
    get(_target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        const call = (args[2] as { state?: string } | undefined)?.state
        const step = `${name}.${String(key)}${call ? ` ${call}` : ''}`
        if (at === `before ${step}`) process.kill(process.pid, signal)
        const result: unknown = value.apply(target, args)
        if (at !== `after ${step}`) return result
        if (!(result instanceof Promise)) {
          process.kill(process.pid, signal)
          return result
        }
        return result.then((answer: unknown) => {
          process.kill(process.pid, signal)
          return answer
        })
      }
    },
  })
}

await runService('executor', config, async (service) => {
  const clock = { now: () => Date.now() }
  const { resources } = service
  const ledger = openLedger({ vaultRoot: config.vault, stateDir: config.state, agent: config.agent, clock })
  const parts: ExecutorParts = {
    vault: mortal('vault', await openVault(config.vault)),
    ledger: mortal('ledger', resources.use(ledger)),
    journal: mortal('journal', openJournal(join(config.state, 'journal.sqlite'), { epoch: 'take' })),
    received: resources.use(openReceived(config.state)),
    doorbell: { ring: async () => {} },
    clock,
    compare: compareTexts,
    signingKey: await readPrivateKey(join(config.keys, 'countersign.pem'), config.keyPassphrase?.read()),
  }
  const smtp = mortal('smtp', smtpSender(smtpAccountOf(config)))
  const compose = composeWithFiles(composeMail, parts.vault, config.ownerName)
  const threads = resources.use(imapThreads(imapAccountOf(config), { mailbox: config.imapMailbox }))
  const server = createEmailServer([sendEmail({ ...actingWith(parts), compose, send: (mail) => smtp.send(mail) })])
  const client = resources.use(await connectInProcess(server))
  const email = emailChannel({
    ...{ sender: smtp, clock, log: service.log, compose },
    ...mortal('thread', { lookAtThread: threads.look }),
    sentFolder: mortal('sent', imapSent(imapAccountOf(config))),
    sendEmail: (action, receipt) => client.call('send_email', { action, receipt }, TOOL_LIMIT_MS),
  })
  const social = await openSocialChannels(config, parts, service)
  const books = await openBooksChannels(config, parts, service)
  const deps = { ...wireExecutor(config, parts, [email, ...social, ...books], service), lookUpGraceMs: 500 }
  await runExecutor(deps, service, { config, agents: ['cloud', 'local'] })
})
