import { join } from 'node:path'
import { imapSource } from '#adapters/imap/imap-source.ts'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { parseMail } from '#adapters/mime/parse-mail.ts'
import { openSeenMail } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { loadServiceConfig } from '#runtime/config.ts'
import { imapAccountOf } from '#runtime/mail-accounts.ts'
import { runService } from '#runtime/service.ts'
import { triageSettings } from './config.ts'
import { watchMailbox } from './watch-mailbox.ts'

/** Without a look, a message or a retry for this long, something hangs. */
const MAX_SILENCE_MS = 180_000

const config = loadServiceConfig('triage', triageSettings)

await runService('triage', config, async (service) => {
  const clock = { now: () => Date.now() }
  const handlers = watchMailbox({
    vault: await openVault(config.vault),
    ledger: service.resources.use(
      openLedger({ vaultRoot: config.vault, stateDir: config.state, agent: config.agent, clock }),
    ),
    seen: service.resources.use(openSeenMail(join(config.state, 'triage.sqlite'))),
    parse: parseMail,
    clock,
    account: config.ownerAddress,
    ownAddresses: new Set([config.ownerAddress.toLowerCase()]),
    mailbox: `${config.imapUser}@${config.imapHost}/${config.imapMailbox}`,
    sinceDays: config.sinceDays,
    log: service.log,
    metrics: service.metrics,
    beat: service.progress('mailbox', MAX_SILENCE_MS),
  })
  service.check('mailbox', handlers.readiness)
  service.resources.use(imapSource(imapAccountOf(config), { mailbox: config.imapMailbox }).watch(handlers))
})
