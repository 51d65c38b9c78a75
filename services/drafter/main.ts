import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { openDoorbell } from '#adapters/queue/doorbell.ts'
import { connectRedis } from '#adapters/queue/redis.ts'
import { startWorker } from '#adapters/queue/worker.ts'
import { openSkill } from '#adapters/skills/skill-folder.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { type TaskJob, taskJobId } from '#core/jobs.ts'
import { oldestWaiting } from '#core/oldest.ts'
import { loadServiceConfig } from '#runtime/config.ts'
import { runService } from '#runtime/service.ts'
import { drafterSettings } from './config.ts'
import { draftReply } from './draft-reply.ts'
import { claimedJobs } from './hand-in.ts'
import { templateDrafter } from './template-drafter.ts'

const config = loadServiceConfig('drafter', drafterSettings)
const clock = { now: Date.now }

await runService('drafter', config, async ({ log, metrics, resources, check, progress }) => {
  const redis = resources.use(await connectRedis(config.redisUrl, config.redisPassword?.read(), log))
  check('redis', () => redis.ping())
  const doorbell = resources.use(await openDoorbell(redis, log))
  const vault = await openVault(config.vault)
  const ledger = resources.use(
    openLedger({ vaultRoot: vault.root, stateDir: config.state, agent: config.agent, clock }),
  )
  const write = templateDrafter(openSkill(config.skills, 'cloud-draft-email'))
  const deps = {
    vault,
    ledger,
    clock,
    write,
    zone: config.zone,
    agent: config.agent,
    ownerAddress: config.ownerAddress,
    ownerName: config.ownerName,
    expiresAfterMs: config.expiresDays * 86_400_000,
  }

  const draft = async (job: TaskJob) => {
    const outcome = await draftReply(job, deps)
    metrics.count('countersign_drafts_total', {
      outcome: outcome.kind === 'lost' ? 'lost' : outcome.kind === 'drafted' ? 'drafted' : 'failed',
    })
    if (outcome.kind === 'drafted' && outcome.arrivedAt !== undefined)
      metrics.observe('countersign_arrival_to_draft_seconds', (clock.now() - outcome.arrivedAt) / 1000, {})
    log.info({ task: job.taskId, generation: job.generation, outcome: outcome.kind }, `draft: ${outcome.kind}`)
  }
  const onProgress = progress('queue', 60_000)
  resources.use(
    await startWorker(
      redis,
      'draft',
      { 'draft-reply': draft },
      { log, metrics, concurrency: config.concurrency, onProgress },
    ),
  )

  const oldest = oldestWaiting()
  const reconcile = async () => {
    const jobs = await claimedJobs(vault, config.agent)
    const since = oldest(jobs.map(taskJobId), clock.now())
    metrics.since('countersign_task_oldest_age_seconds', since, { state: 'drafting' })
    for (const job of jobs) await doorbell.ring('draft', 'draft-reply', job)
  }
  await reconcile()
  const timer = setInterval(() => {
    reconcile().catch((err: unknown) => log.error({ err }, 'looking for claimed tasks failed'))
  }, config.reconcileMs)
  resources.defer(() => clearInterval(timer))
})
