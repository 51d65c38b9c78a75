import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { answerProof } from '#adapters/proof/cloud-proof.ts'
import { openDoorbell } from '#adapters/queue/doorbell.ts'
import { connectRedis } from '#adapters/queue/redis.ts'
import { startWorker } from '#adapters/queue/worker.ts'
import { skillFolders } from '#adapters/skills/skill-folder.ts'
import { askSync } from '#adapters/state-files/requests.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { fileMemory } from '#core/file-memory.ts'
import type { Finding } from '#core/finding.ts'
import { type TaskJob, taskJobId } from '#core/jobs.ts'
import { recognizeLanguage } from '#core/language.ts'
import { oldestWaiting } from '#core/oldest.ts'
import type { AskModel } from '#core/ports/model.ts'
import type { TaskFile } from '#core/task-file.ts'
import type { Domain } from '#core/vault-path.ts'
import { loadServiceConfig, settingNames } from '#runtime/config.ts'
import { hasModel, modelsOf } from '#runtime/model-settings.ts'
import { hasOdoo, odooAccountOf } from '#runtime/odoo-account.ts'
import { sentinelsOf } from '#runtime/redis-sentinels.ts'
import { runService } from '#runtime/service.ts'
import { claimOpen } from './claim-open.ts'
import { type CloudDraftsDeps, cloudDrafts } from './cloud-drafts.ts'
import { drafterSettings } from './config.ts'
import { draftPayment } from './draft-payment.ts'
import type { DraftPostsDeps } from './draft-posts.ts'
import { type Drafts, draftTask } from './draft-task.ts'
import { draftWhatsApp } from './draft-whatsapp.ts'
import { giveBackThroughSync } from './give-back-through-sync.ts'
import { claimedJobs } from './hand-in.ts'
import { watchBooks } from './main-books.ts'
import { NO_GIVE_BACK, type SyntheticDeps, tryOut } from './main-synthetic.ts'
import { replyDrafter } from './reply-drafter.ts'
import { watchSkills } from './watch-skills.ts'

const config = loadServiceConfig('drafter', drafterSettings)
const clock = { now: Date.now }
const NO_JOBS = { waiting: 0, active: 0, delayed: 0 }
type Common = Omit<CloudDraftsDeps, 'write' | 'posts' | 'invoices'> &
  Pick<DraftPostsDeps, 'openSkill'> & { readonly ask: AskModel | undefined; readonly signal: AbortSignal }
const DRAFTING = {
  cloud: { email: 'cloud-draft-email', social: 'cloud-draft-social', accounting: 'cloud-odoo-draft' },
  local: { whatsapp: 'local-whatsapp' },
} as const

await runService('drafter', config, async ({ log, metrics, resources, check, progress, stopping, tell, document }) => {
  answerProof({ document }, { ...config, service: 'drafter', settings: settingNames(), tries: tryBooks })
  const redis = resources.use(
    await connectRedis(config.redisUrl, config.redisPassword?.read(), log, sentinelsOf(config)),
  )
  check('redis', () => redis.ping())
  const doorbell = resources.use(await openDoorbell(redis, log))
  const vault = await openVault(config.vault)
  const ledger = resources.use(
    openLedger({ vaultRoot: vault.root, stateDir: config.state, agent: config.agent, clock, metrics }),
  )
  const skills = skillFolders(config.skills, config.skillsOwn)
  check('skills', watchSkills(skills.list, DRAFTING[config.zone], log))
  // Loaded only where one is configured: it takes memory.
  const ask = hasModel(config)
    ? resources.use(
        (await import('#adapters/model/open-model.ts')).openModel(modelsOf(config), {
          ...{ log, metrics, ledger, clock, stateDir: config.state },
          onRequest: (found) => tell.depends('model', found),
        }),
      )
    : undefined
  if (ask) tell.depends('model', undefined)
  const asking = await askSync(config.state)
  const wakeSync = () => doorbell.ring('sync', 'sync-now', {})
  const common = {
    ...{ ask, signal: stopping },
    ...{ vault, ledger, clock, zone: config.zone, agent: config.agent },
    ...{ openSkill: skills.open, ownerName: config.ownerName, expiresAfterMs: config.expiresDays * 86_400_000 },
    ownerAddress: config.ownerAddress,
    giveBack: giveBackThroughSync(asking, config.agent, wakeSync),
  }
  if (config.zone === 'cloud' && hasOdoo(config)) await watchBooks(config, { resources, tell })
  const deps = { ...common, drafts: config.zone === 'cloud' ? await draftsOfCloud(common) : draftsOfLocal(common) }

  const draftDry: SyntheticDeps['draft'] = async (job, place) => {
    const dry = { ...common, ...place, ask: undefined, giveBack: NO_GIVE_BACK }
    // A mail and nothing else: other drafts have effects elsewhere, in the books say.
    const { email } = await draftsOfCloud(dry)
    return draftTask(job, { ...dry, drafts: { ...(email && { email }) } })
  }
  const draft = async (job: TaskJob) => {
    const outcome = await draftTask(job, deps)
    metrics.count('countersign_drafts_total', {
      outcome: ['lost', 'left'].includes(outcome.kind) ? 'lost' : outcome.kind === 'drafted' ? 'drafted' : 'failed',
    })
    if (outcome.kind === 'drafted' && outcome.arrivedAt !== undefined)
      metrics.observe('countersign_arrival_to_draft_seconds', (clock.now() - outcome.arrivedAt) / 1000, {})
    log.info({ task: job.taskId, generation: job.generation, outcome: outcome.kind }, `draft: ${outcome.kind}`)
  }
  const onProgress = progress('queue', 60_000)
  // In the local zone there is no triage to make one.
  const onCanary = config.zone === 'cloud' ? tryOut({ ...config, draft: draftDry }, { log, metrics }) : undefined
  resources.use(
    await startWorker(
      redis,
      'draft',
      { 'draft-reply': draft },
      { log, metrics, concurrency: config.concurrency, onProgress, ...(onCanary && { onCanary }) },
    ),
  )

  const oldest = oldestWaiting()
  const readFile = fileMemory(vault)
  const domains = Object.keys(deps.drafts) as Domain[]
  // What waits to join another task is drafted with that one.
  const isOurs = ({ front }: TaskFile) => deps.drafts[front.domain] !== undefined && front.joins === undefined
  const reconcile = async () => {
    // The cloud's sync takes up by itself what nobody owns.
    if (config.zone === 'local') await claimOpen(domains, { vault, asking, agent: config.agent, ring: wakeSync })
    // First: what is drafted while the vault is read stands neither there nor here.
    const { waiting, active, delayed } = await doorbell.counts('draft').catch(() => NO_JOBS)
    const jobs = await claimedJobs(vault, config.agent, isOurs, readFile)
    const since = oldest(jobs.map(taskJobId), clock.now())
    metrics.since('countersign_task_oldest_age_seconds', since, { state: 'drafting' })
    // With as many in the queue none was lost, or some are of tasks that are done: those are gone the next time.
    if (waiting + active + delayed >= jobs.length) return
    for (const job of jobs) await doorbell.ring('draft', 'draft-reply', job)
  }
  await reconcile()
  let isLooking = false
  const timer = setInterval(async () => {
    // Thousands of files may take longer than this.
    if (isLooking) return
    isLooking = true
    await reconcile().catch((err: unknown) => log.error({ err }, 'looking for claimed tasks failed'))
    isLooking = false
  }, config.reconcileMs)
  resources.defer(() => clearInterval(timer))
})

async function tryBooks(): Promise<Finding[]> {
  if (!hasOdoo(config)) return []
  return (await import('#adapters/odoo/prove-cloud.ts')).proveBooks(odooAccountOf(config))
}

async function draftsOfCloud(common: Common): Promise<Drafts> {
  const books = hasOdoo(config)
    ? (await import('#adapters/odoo/open-odoo.ts')).openOdoo(odooAccountOf(config), config.zone)
    : undefined
  return cloudDrafts({
    ...common,
    write: replyDrafter({ ...common, skillName: DRAFTING.cloud.email, recognizeLanguage }),
    posts: { ...common, skillName: DRAFTING.cloud.social, accounts: config.socialAccounts },
    invoices: { ...common, skillName: DRAFTING.cloud.accounting, books },
  })
}

/** Of what is this zone's alone. */
function draftsOfLocal(common: Common): Drafts {
  const answer = replyDrafter({ ...common, skillName: DRAFTING.local.whatsapp, recognizeLanguage })
  return {
    payment: (claimed) => draftPayment(claimed, { ...common, way: config.paymentWay }),
    whatsapp: (claimed) => draftWhatsApp(claimed, { ...common, write: answer }),
  }
}
