import { join } from 'node:path'
import { readAgents } from '#adapters/keys/trust-files.ts'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { parseMail } from '#adapters/mime/parse-mail.ts'
import { answerProof } from '#adapters/proof/cloud-proof.ts'
import { openSeenMail } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { openThreadMemory } from '#adapters/seen-sqlite/thread-memory.ts'
import { mailPlace, placesOf, watchCertificates } from '#adapters/tls/watch-certificates.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { credentialNotes } from '#core/credential-notes.ts'
import type { Finding } from '#core/finding.ts'
import type { MailSource } from '#core/ports/mail.ts'
import { SYNTHETIC_EVERY_MS } from '#core/synthetic.ts'
import { loadServiceConfig, settingNames } from '#runtime/config.ts'
import type { Log } from '#runtime/logger.ts'
import { gmailPushOf } from '#runtime/mail-accounts.ts'
import { MAIN_MAILBOX, type Mailbox, mailboxesOf } from '#runtime/mailboxes.ts'
import { hasModel, modelsOf } from '#runtime/model-settings.ts'
import { runService } from '#runtime/service.ts'
import { mailClassifier } from './classify.ts'
import { triageSettings } from './config.ts'
import { inTurn } from './in-turn.ts'
import { triageSynthetic } from './main-synthetic.ts'
import { postScheduler } from './scheduled-posts.ts'
import { watchMailbox } from './watch-mailbox.ts'

/** Without a look, a message or a retry for this long, something hangs. Gmail may ask to be left alone for ten minutes. */
const MAX_SILENCE_MS = { imap: 180_000, gmail: 900_000 }

/** How often it is looked whether a planned post is to be drafted. */
const SCHEDULE_LOOK_MS = 60_000

const config = loadServiceConfig('triage', triageSettings)

await runService('triage', config, async (service) => {
  const clock = { now: () => Date.now() }
  const mailboxes = mailboxesOf(config)
  answerProof(service, { ...config, service: 'triage', settings: settingNames(), tries: () => tries(mailboxes) })
  const shared = {
    vault: await openVault(config.vault),
    ledger: service.resources.use(
      openLedger({
        ...{ vaultRoot: config.vault, stateDir: config.state, agent: config.agent, clock },
        metrics: service.metrics,
      }),
    ),
    seen: service.resources.use(openSeenMail(join(config.state, 'triage.sqlite'))),
    threads: service.resources.use(openThreadMemory(join(config.state, 'threads.sqlite'), clock.now())),
    parse: parseMail,
    clock,
    localAgent: () => localAgent(config.trust),
    ownAddresses: new Set([config.ownerAddress, ...mailboxes.map(({ address }) => address)].map(lowerCase)),
    sinceDays: config.sinceDays,
    log: service.log,
    metrics: service.metrics,
    inTurn: inTurn(),
    agent: config.agent,
  }
  // Loaded only where one is configured: it takes memory.
  const ask = hasModel(config)
    ? service.resources.use(
        (await import('#adapters/model/open-model.ts')).openModel(modelsOf(config), {
          ...shared,
          stateDir: config.state,
          onRequest: (found) => service.tell.depends('model', found),
        }),
      )
    : undefined
  if (ask) service.tell.depends('model', undefined)
  const classify = mailClassifier({ ...shared, ask, stopping: service.stopping })
  const schedule = postScheduler(shared)
  const look = () =>
    shared
      .inTurn(schedule)
      .catch((err: unknown) => service.log.error({ err }, 'posts could not be planned; will try again'))
  void look()
  const timer = setInterval(look, SCHEDULE_LOOK_MS)
  service.resources.defer(() => clearInterval(timer))
  const tryOut = () =>
    triageSynthetic(config).catch((error: unknown) => service.log.warn({ reason: String(error) }, 'no synthetic mail'))
  void tryOut()
  const trying = setInterval(tryOut, SYNTHETIC_EVERY_MS)
  service.resources.defer(() => clearInterval(trying))
  for (const mailbox of mailboxes) {
    const { name, address, place, provider } = mailbox
    const check = name === MAIN_MAILBOX ? 'mailbox' : `mailbox-${name}`
    const handlers = watchMailbox({
      ...{ ...shared, classify },
      ...{ name, account: address, mailbox: place, provider },
      beat: service.progress(check, MAX_SILENCE_MS[provider]),
      onCredential: credentialNotes({
        ...{ ...shared, zone: config.zone, name, address },
        expiresAt: (at) => {
          service.tell.ends('token', check, at)
          service.metrics.set('countersign_mail_token_expiry_timestamp_seconds', at / 1000, { mailbox: name })
        },
      }),
    })
    service.check(check, handlers.readiness)
    if (provider === 'imap')
      service.resources.use(
        watchCertificates(placesOf({ [check]: mailPlace(mailbox.account, 'imap') }), (of, ends) =>
          service.tell.ends('certificate', of, ends),
        ),
      )
    service.resources.use((await sourceOf(mailbox, service.log)).watch(handlers))
  }
})

async function tries(mailboxes: readonly Mailbox[]): Promise<Finding[]> {
  const accounts = mailboxes.flatMap((one) => (one.provider === 'gmail' ? [one.account] : []))
  if (accounts.length === 0) return []
  const { proveGmailReads } = await import('#adapters/gmail/prove-reading.ts')
  return Promise.all(accounts.map(proveGmailReads))
}

/** Who is trusted to be the local zone; before any is paired, the name that it has unless it is given another. */
async function localAgent(trust: string | undefined): Promise<string> {
  const local = trust === undefined ? [] : (await readAgents(trust)).filter(({ zone }) => zone === 'local')
  return local.find(({ name }) => name === 'local')?.name ?? local[0]?.name ?? 'local'
}

/** Only what is used is loaded: both libraries take memory. */
async function sourceOf(mailbox: Mailbox, log: Log): Promise<MailSource> {
  if (mailbox.provider === 'gmail') {
    const { gmailSource } = await import('#adapters/gmail/gmail-source.ts')
    const push = mailbox.name === MAIN_MAILBOX ? gmailPushOf(config) : undefined
    return gmailSource(mailbox.account, {
      pollMs: config.gmailPollSeconds * 1000,
      ...(push && { push: { ...push, onFault: (error) => log.warn({ err: error }, error.message) } }),
    })
  }
  const { imapSource } = await import('#adapters/imap/imap-source.ts')
  return imapSource(mailbox.account, { mailbox: mailbox.folder })
}

function lowerCase(text: string): string {
  return text.toLowerCase()
}
