import { join } from 'node:path'
import { compareTexts } from '#adapters/diff/compare-texts.ts'
import { openJournal } from '#adapters/journal/journal.ts'
import { readAgents, refuseRetired } from '#adapters/keys/trust-files.ts'
import { readPrivateKey } from '#adapters/keys/zone-keys.ts'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { openNotifiers } from '#adapters/notify/notifiers.ts'
import { toldFile } from '#adapters/notify/told-file.ts'
import { openDoorbell } from '#adapters/queue/doorbell.ts'
import { connectRedis } from '#adapters/queue/redis.ts'
import { startWorker } from '#adapters/queue/worker.ts'
import { openReceived } from '#adapters/received/received.ts'
import { readRestoreMark } from '#adapters/state-files/restore-mark.ts'
import { readSyncReport, writeStateFile } from '#adapters/state-files/state-files.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { CountersignError } from '#core/errors.ts'
import { quietUntil } from '#core/quiet-hours.ts'
import { loadServiceConfig } from '#runtime/config.ts'
import { notifyWaysOf } from '#runtime/notify-ways.ts'
import { sentinelsOf } from '#runtime/redis-sentinels.ts'
import { runService } from '#runtime/service.ts'
import { executorSettings } from './config.ts'
import { reportKeeper } from './keep-report.ts'
import { openBooksChannels } from './main-books.ts'
import { openEmailChannel, watchForBounces } from './main-mail.ts'
import { openPaymentChannel } from './main-payment.ts'
import { openSocialChannels } from './main-social.ts'
import { tryOut } from './main-synthetic.ts'
import { openWhatsAppChannel } from './main-whatsapp.ts'
import { notifyPerson } from './notify-person.ts'
import { ownAge } from './own-age.ts'
import { runExecutor } from './run-executor.ts'
import { type ExecutorParts, wireExecutor } from './wire-executor.ts'

const config = loadServiceConfig('executor', executorSettings)

await runService('executor', config, async (service) => {
  const { log, resources } = service
  if (config.zone !== 'local')
    throw new CountersignError('ERR_ZONE_FORBIDDEN', `the executor was started in the zone ${config.zone}`)
  const clock = { now: () => Date.now() }
  const ledgerOf = {
    vaultRoot: config.vault,
    stateDir: config.state,
    agent: config.agent,
    clock,
    metrics: service.metrics,
  }
  const redis = resources.use(
    await connectRedis(config.redisUrl, config.redisPassword?.read(), log, sentinelsOf(config)),
  )
  const restored = readRestoreMark(config.state)
  const doorbell = resources.use(await openDoorbell(redis, log))
  const parts: ExecutorParts = {
    vault: await openVault(config.vault, { watch: { pollMs: config.vaultPollMs } }),
    ledger: resources.use(openLedger(ledgerOf)),
    journal: resources.use(openJournal(join(config.state, 'journal.sqlite'), { epoch: 'take', restored })),
    received: resources.use(openReceived(config.state)),
    doorbell,
    ownAge: ownAge({
      clock,
      isSetBack: () => readRestoreMark(config.state)?.id !== restored?.id,
      syncReport: () => readSyncReport(config.state),
      askSync: () => void doorbell.ring('sync', 'sync-now', {}),
    }),
    clock,
    compare: compareTexts,
    // After the epoch was taken: a rotation fences off everybody who may have read the key before it.
    signingKey: await readPrivateKey(join(config.keys, 'countersign.pem'), config.keyPassphrase?.read()),
  }
  await refuseRetired(config.trust, parts.signingKey)
  const email = await openEmailChannel(config, parts, service)
  const social = await openSocialChannels(config, parts, service)
  const books = await openBooksChannels(config, parts, service)
  const payment = await openPaymentChannel(config, parts, service)
  const whatsapp = await openWhatsAppChannel(config, parts, service)
  const channels = [email, ...social, ...books, ...payment.channels, ...whatsapp]
  const deps = wireExecutor(config, parts, channels, service, payment.ways)
  service.check('redis', () => redis.ping())
  for (const channel of deps.channels) service.check(channel.name, () => channel.problems().join(' ') || true)
  const agents = (await readAgents(config.trust)).map((agent) => agent.name)
  const person = resources.use(
    await notifyPerson({
      ...{ clock, log, metrics: service.metrics, memory: toldFile(config.state), detail: config.notifyDetail },
      notifiers: openNotifiers({ ...notifyWaysOf(config, process.platform), clock }),
      everyMs: config.notifyEveryMinutes * 60_000,
      olderThanMs: config.notifyAfterHours * 3_600_000,
      isQuiet: async (now) => quietUntil((await deps.knowledge()).risk.rules.quiet, now) !== undefined,
    }),
  )
  const report = reportKeeper((text) => writeStateFile(config.state, 'executor.json', text), log)
  const options = { config, agents: [...new Set([config.agent, ...agents])], person, report }
  const wake = await runExecutor(deps, service, options)
  await watchForBounces(config, deps, wake, service)
  // Whatever a job says, it only wakes: what is done stands in the vault and the journal.
  const handlers = { 'execute-approved': async () => wake() }
  resources.use(
    await startWorker(redis, 'execute', handlers, {
      log,
      metrics: service.metrics,
      onProgress: service.progress('queue', 60_000),
      onCanary: tryOut(config, service),
    }),
  )
})
