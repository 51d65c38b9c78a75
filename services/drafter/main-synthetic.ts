import { mkdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { claimedBy } from '#core/claim.ts'
import type { TaskJob } from '#core/jobs.ts'
import { onceEvery } from '#core/once-every.ts'
import type { LedgerPort } from '#core/ports/ledger.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { SYNTHETIC_EVERY_MS, SYNTHETIC_FOLDER } from '#core/synthetic.ts'
import { parseTaskFile, renderTaskFile } from '#core/task-file.ts'
import { fileNameOf, vaultPath } from '#core/vault-path.ts'
import type { ServiceContext } from '#runtime/service.ts'
import type { GiveBack, TaskOutcome } from './give-back.ts'

export interface SyntheticDeps {
  readonly state: string
  readonly agent: string
  /** The drafter itself, with another vault and ledger, and never with a model. */
  draft(job: TaskJob, place: { vault: VaultPort; ledger: LedgerPort }): Promise<TaskOutcome>
}

/** A synthetic task is given back to nobody: that it would be is a fault. */
export const NO_GIVE_BACK: GiveBack = {
  isAsked: async () => false,
  ask: async () => {
    throw new Error('the synthetic task would have been given back')
  },
}

/**
 * Takes the synthetic task that triage left, drafts it by the code that drafts real ones, and gives when its mail arrived
 * (ms); undefined where none stood there. Throws where no draft came of it.
 */
export async function draftSynthetic({ state, agent, draft }: SyntheticDeps): Promise<number | undefined> {
  const left = join(state, SYNTHETIC_FOLDER, 'mail', 'vault')
  await mkdir(left, { recursive: true, mode: 0o700 })
  const inbox = await openVault(left)
  const [path] = await inbox.list('Needs_Action/email')
  const text = path && (await inbox.read(path))
  if (!path || text === undefined) return undefined
  // Whatever comes of it, it is not tried again: the next one is a minute away.
  await inbox.remove(path)
  const parsed = parseTaskFile(text)
  if (!parsed.ok) throw new Error(`the synthetic task cannot be read: ${parsed.problem}`)
  if (parsed.task.front.domain !== 'email') throw new Error('what stands there is not the synthetic mail')
  // Each replica has its own: another may be at work on the next one.
  const root = join(state, SYNTHETIC_FOLDER, `draft-${hostname()}`)
  await rm(root, { recursive: true, force: true })
  const [vaultRoot, stateDir] = [join(root, 'vault'), join(root, 'state')]
  await mkdir(vaultRoot, { recursive: true, mode: 0o700 })
  const clock = { now: Date.now }
  const vault = await openVault(vaultRoot)
  using ledger = openLedger({ vaultRoot, stateDir, agent, clock })
  const claimed = claimedBy(parsed.task, agent, new Date(clock.now()).toISOString())
  const { id: taskId, generation, created } = claimed.front
  await vault.create(vaultPath(`In_Progress/${agent}/${fileNameOf(path)}`), renderTaskFile(claimed))
  const outcome = await draft({ taskId, generation }, { vault, ledger })
  if (outcome.kind !== 'drafted' || !(await vault.exists(outcome.path)))
    throw new Error(`the synthetic task was not drafted: ${outcome.kind}`)
  return Date.parse(created)
}

/** Once a minute, when a canary comes through the drafter's queue; its age is told, and why it did not come through. */
export function tryOut(
  deps: SyntheticDeps,
  { metrics, log }: Pick<ServiceContext, 'metrics' | 'log'>,
): () => Promise<void> {
  metrics.since('countersign_synthetic_age_seconds', Date.now(), {})
  const work = async () => {
    const arrivedAt = await draftSynthetic(deps)
    if (arrivedAt !== undefined) metrics.since('countersign_synthetic_age_seconds', arrivedAt, {})
  }
  const onFault = (error: unknown) => log.warn({ reason: String(error) }, 'a synthetic task did not come through')
  return onceEvery(SYNTHETIC_EVERY_MS, () => performance.now(), work, onFault)
}
