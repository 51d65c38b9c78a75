import { createPublicKey, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { imapSent } from '#adapters/imap/imap-sent.ts'
import { openJournal } from '#adapters/journal/journal.ts'
import { readAgents } from '#adapters/keys/trust-files.ts'
import { readPrivateKey } from '#adapters/keys/zone-keys.ts'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { connectInProcess } from '#adapters/mcp/in-process-client.ts'
import { composeMail } from '#adapters/mime/compose-mail.ts'
import { openDoorbell } from '#adapters/queue/doorbell.ts'
import { connectRedis } from '#adapters/queue/redis.ts'
import { startWorker } from '#adapters/queue/worker.ts'
import { smtpSender } from '#adapters/smtp/smtp-sender.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { audienceOf } from '#core/countersignature.ts'
import { CountersignError } from '#core/errors.ts'
import { createEmailServer } from '#mcp/email/server.ts'
import { sendEmail } from '#mcp/email/tools/send-email.ts'
import { loadConfig } from '#runtime/config.ts'
import { runService } from '#runtime/service.ts'
import { executorSettings } from './config.ts'
import type { ExecutorDeps } from './deps.ts'
import { imapAccountOf, smtpAccountOf } from './mail-accounts.ts'
import { patientSent } from './patient-sent.ts'
import { runExecutor } from './run-executor.ts'
import { watchSender } from './sender-watch.ts'
import { zoneProblems } from './zone-problems.ts'

const config = loadConfig('executor', executorSettings)
const clock = { now: () => Date.now() }
/** Longer than all of the mail server's own limits: a call that ends sooner has an answer. */
const TOOL_LIMIT_MS = 240_000

await runService('executor', config, async (service) => {
  const { log, metrics, resources } = service
  if (config.zone !== 'local')
    throw new CountersignError('ERR_ZONE_FORBIDDEN', `the executor was started in the zone ${config.zone}`)
  const signingKey = await readPrivateKey(join(config.keys, 'countersign.pem'))
  const publicKey = createPublicKey(signingKey)
  const vault = await openVault(config.vault, { watch: { pollMs: config.vaultPollMs } })
  const ledger = resources.use(
    openLedger({ vaultRoot: vault.root, stateDir: config.state, agent: config.agent, clock }),
  )
  const journal = resources.use(openJournal(join(config.state, 'journal.sqlite'), { epoch: 'take' }))
  const redis = resources.use(await connectRedis(config.redisUrl, config.redisPassword?.read(), log))
  const doorbell = resources.use(await openDoorbell(redis, log))
  const smtp = smtpSender(smtpAccountOf(config))
  const sender = watchSender(
    () => smtp.verify(),
    clock,
    (state, error) => (state === true ? log.info({}, 'the mail server is back') : log.warn({ err: error }, state)),
  )
  const sent = patientSent(imapSent(imapAccountOf(config)), clock)
  const compose: ExecutorDeps['compose'] = (action, message) =>
    composeMail(action, { senderName: config.ownerName, ...message })
  const tool = sendEmail({
    publicKey,
    clock,
    consume: (receipt, now) => journal.consume(receipt, now),
    isNewest: () => journal.isNewest(),
    compose,
    send: (mail) => smtp.send(mail),
  })
  const client = resources.use(await connectInProcess(createEmailServer([tool])))
  const deps: ExecutorDeps = {
    ...{ vault, ledger, journal, clock, log, metrics, sender, sent, compose, signingKey },
    zone: config.zone,
    agent: config.agent,
    account: config.ownerAddress,
    maxRecipients: config.maxRecipients,
    undoMs: config.undoMs,
    receiptMs: 3_600_000,
    lookUpGraceMs: 10_000,
    audience: audienceOf(publicKey),
    nonce: () => randomBytes(16).toString('hex'),
    ring: (job, delayMs) => doorbell.ring('execute', 'execute-approved', job, { delayMs }),
    sendEmail: (action, receipt) => client.call('send_email', { action, receipt }, TOOL_LIMIT_MS),
  }
  service.check('redis', () => redis.ping())
  service.check('smtp', () => sender.state())
  service.check('imap', () => sent.state())
  await sender.isReady()
  const wake = await runExecutor(deps, service, {
    agents: [...new Set([config.agent, ...(await readAgents(config.trust)).map((agent) => agent.name)])],
    reconcileMs: config.reconcileMs,
    problems: async () => [
      ...[sender.state(), sent.state()].filter((state) => state !== true),
      ...(await zoneProblems(config.state, clock.now())),
    ],
  })
  // Whatever a job says, it only wakes: what is done stands in the vault and the journal.
  const handlers = { 'execute-approved': async () => wake() }
  resources.use(await startWorker(redis, 'execute', handlers, { log, onProgress: service.progress('queue', 60_000) }))
})
