import { startEgress } from '#adapters/egress/egress-proxy.ts'
import { answerProof } from '#adapters/proof/cloud-proof.ts'
import { parseBackupTarget } from '#core/backup-target.ts'
import { reachOf } from '#core/bank-script.ts'
import { cloudReach, type Reach, sayReach } from '#core/egress-reach.ts'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import { NOBODY } from '#core/proof.ts'
import { loadServiceConfig, settingNames } from '#runtime/config.ts'
import { mailboxEntries } from '#runtime/mailboxes.ts'
import { modelAddresses } from '#runtime/model-settings.ts'
import { runService } from '#runtime/service.ts'
import { egressSettings } from './config.ts'

/** A mailbox is waited at, a model and Pub/Sub think: longer than any of them may take. */
const CLOUD = { idleMs: 900_000, maxConnections: 512 }

const config = loadServiceConfig('egress', egressSettings)

// The only process that is on a network with a way out, besides those who have a published port.
await runService('egress', config, async ({ log, resources, metrics, document }) => {
  const reach = config.zone === 'cloud' ? reachOfCloud() : await reachOfBanks()
  resources.use(
    await startEgress({
      ...{ reach, host: config.httpHost, port: config.egressPort, ...(config.zone === 'cloud' && CLOUD) },
      onRefused: (asked, isFirst) => {
        // `countersign prove` asks, too.
        if (asked.startsWith(`CONNECT ${NOBODY}:`)) return
        metrics.count('countersign_egress_total', { outcome: 'refused' })
        if (isFirst) log.warn({ name: asked }, 'asked for something that may not be reached')
      },
      onAllowed: (outcome) => metrics.count('countersign_egress_total', { outcome }),
    }),
  )
  const proof = { ...config, service: 'egress', settings: settingNames(), tries: async () => [listed(reach)] }
  answerProof({ document }, { ...proof, egress: undefined })
  log.info({ count: reach.length }, `lets through to ${reach.map(sayReach).join(', ') || 'nothing'}`)
})

function listed(reach: readonly Reach[]): Finding {
  const check = 'the way out leads to what the settings name, and to no port by which mail is sent'
  return { check, result: 'ok', found: reach.map(sayReach).join(', ') || 'it leads nowhere' }
}

function reachOfCloud(): readonly Reach[] {
  const { imapHost, imapPort, mailboxProvider, mailboxesFile, odooUrl } = config
  const backups = parseBackupTarget(config.backupTarget ?? '')
  const verdict = cloudReach({
    mailboxes: [
      mailboxProvider === 'gmail' ? { provider: 'gmail' } : { provider: 'imap', host: imapHost ?? '', port: imapPort },
      ...(mailboxesFile === undefined ? [] : mailboxEntries(mailboxesFile)),
    ],
    hasPush: config.gmailTopic !== undefined,
    urls: [...modelAddresses(config), ...(odooUrl === undefined ? [] : [odooUrl])],
    ...{ gmailUrl: config.gmailUrl, sites: config.sites },
    also: [...config.also, ...(backups && backups.kind !== 'path' ? [backups] : [])],
    privateHosts: [...config.privateHosts, ...config.neighbours],
  })
  if (!verdict.ok) throw new CountersignError('ERR_CONFIG_INVALID', verdict.problem)
  return verdict.reach
}

/** Loaded there only: the cloud's image holds nothing that knows a bank. */
async function reachOfBanks(): Promise<readonly Reach[]> {
  const { readBankScripts } = await import('#adapters/browser/open-banks.ts')
  return reachOf(await readBankScripts(config.banks ?? ''))
}
