import { claimedBy, isClaimable, takesUp } from '#core/claim.ts'
import { arrivalFault } from '#core/hand-over.ts'
import { mergeKey } from '#core/merge.ts'
import { checkCommit, maxBytesOf } from '#core/path-ownership.ts'
import type { Claim } from '#core/ports/sync-store.ts'
import type { SyncAnswer, SyncRequest } from '#core/sync-request.ts'
import { ifItFits, type ParsedTask, parseTaskFile, renderTaskFile, type TaskFile } from '#core/task-file.ts'
import { fileNameOf, isConflictCopy, placeOf, type TaskPlace, taskPath } from '#core/vault-path.ts'
import type { HubView } from '../hub/hub-view.ts'
import { landedClaims } from '../hub/settle-intents.ts'
import { type PlannedChange, withBytes } from '../merge/plan-merge.ts'
import { hasStayed } from '../merge/private-keys.ts'
import type { SyncDeps } from '../sync-deps.ts'
import { claimCommit, giveBackCommit, type PlannedCommit } from './claim-commits.ts'
import { decideClaim } from './decide-claim.ts'
import { planGiveBack } from './give-back.ts'
import { isOwnMatter, NO_ROOM, refusal, SAY_NO_ROOM, type Standing } from './standing.ts'

export interface ClaimPlan {
  readonly commits: readonly PlannedCommit[]
  /** To be announced once they have landed. */
  readonly claims: readonly Claim[]
  /** What is to be answered once all of this has landed, or there was nothing to push. */
  readonly answers: ReadonlyMap<string, SyncAnswer>
  /** More stands open than one push should carry. */
  readonly isPartial: boolean
}

/** So many are claimed in one push; the rest follows in the next. */
export const CLAIMS_PER_PUSH = 200
const MAX_REMEMBERED = 10_000

/**
 * What this agent takes over and gives back, given the tree it is about to push: what was asked for, and the open tasks
 * that it takes up by itself. None of it is so before the push that carries it has landed.
 */
export async function planClaims(
  hub: HubView,
  unmerged: ReadonlySet<string>,
  requests: readonly SyncRequest[],
  deps: SyncDeps,
): Promise<ClaimPlan> {
  const draft = new ClaimDraft(hub, unmerged, deps)
  for (const request of requests) {
    if (isOwnMatter(request.file, deps)) continue
    if (request.kind === 'claim') await draft.claimAsked(request)
    if (request.kind === 'give-back') await draft.giveBack(request)
  }
  const isPartial = await draft.takeUp()
  return { ...draft.plan(), isPartial }
}

class ClaimDraft {
  readonly #hub: HubView
  readonly #unmerged: ReadonlySet<string>
  readonly #deps: SyncDeps
  readonly #claimed: PlannedChange[] = []
  readonly #givenBack: PlannedChange[] = []
  readonly #claims: Claim[] = []
  readonly #gone: string[] = []
  readonly #answers = new Map<string, SyncAnswer>()
  /** One push does one thing to a task. */
  readonly #touched = new Set<string>()

  constructor(hub: HubView, unmerged: ReadonlySet<string>, deps: SyncDeps) {
    this.#hub = hub
    this.#unmerged = unmerged
    this.#deps = deps
  }

  async claimAsked({ id, file, task }: Extract<SyncRequest, { kind: 'claim' }>): Promise<void> {
    const { agent, zone } = this.#deps
    const held = this.#deps.attention.held.get(file)
    if (held) return void this.#answers.set(id, refusal('held-back', `Its file here is held back: ${held.rule}.`))
    const found = this.#standing(file)
    // It has won it already: that is told when the file stands in the work tree.
    if (found === 'unsettled' || landedClaims(this.#deps).some((one) => one.request === id)) return
    const parsed = found && (await readTask(found, this.#deps))
    const verdict = decideClaim(found, parsed, task, { agent, zone })
    if ('kind' in verdict) return void this.#answers.set(id, verdict)
    const rule = await this.#claim(verdict.found, verdict.task, id)
    if (rule) this.#answers.set(id, refusal(rule, `A claim of it would be refused: ${rule}.`))
  }

  async giveBack(request: Extract<SyncRequest, { kind: 'give-back' }>): Promise<void> {
    const found = this.#standing(request.file)
    if (found === 'unsettled') return
    const { agents } = await this.#deps.trust()
    const parsed = found && (await readTask(found, this.#deps))
    const outcome = ifItFits(() =>
      planGiveBack(request, found, parsed, {
        ...{ ...this.#deps, agents },
        hasStayed: hasStayed(request.file, this.#deps),
      }),
    ) ?? {
      answer: refusal(NO_ROOM, SAY_NO_ROOM),
    }
    this.#answers.set(request.id, outcome.answer)
    if (!outcome.task || !found || outcome.to === undefined) return
    const oid = await this.#deps.repo.writeBlob(Buffer.from(renderTaskFile(outcome.task)))
    const changes = found.path === outcome.to ? [] : [{ path: found.path, oid: null }]
    const rule = await this.#add(this.#givenBack, found, [...changes, { path: outcome.to, oid }])
    if (rule) this.#answers.set(request.id, refusal(rule, `It would be refused: ${rule}.`))
    else this.#gone.push(request.task)
  }

  /** Open tasks that nobody had to ask for. True: some are left for the next push. */
  async takeUp(): Promise<boolean> {
    const { zone, agent, notOurs, courtesy, claimsPerPush } = this.#deps
    if (!courtesy.mayClaim()) return false
    for (const [path, oid] of this.#hub.under('Needs_Action/')) {
      if (notOurs.has(oid) || isConflictCopy(path) || !isClaimable(placeOf(path), zone)) continue
      if (this.#claims.length >= claimsPerPush) return true
      const found = this.#standing(fileNameOf(path))
      if (found === undefined || found === 'unsettled') continue
      const parsed = await readTask(found, this.#deps)
      // Broken by hand: the person sees it lying there; a file that nobody can read is nobody's work.
      const isWanted = parsed.ok && takesUp(parsed.task, agent, zone) && arrivalFault(parsed.task) === undefined
      const isOurs = isWanted && (await this.#claim(found, parsed.task)) === undefined
      if (isOurs) continue
      if (notOurs.size >= MAX_REMEMBERED) notOurs.clear()
      notOurs.add(oid)
    }
    return false
  }

  plan(): Omit<ClaimPlan, 'isPartial'> {
    const { agent } = this.#deps
    const claimed = this.#claims.map((one) => one.taskId)
    const commits = [
      ...(this.#gone.length > 0 ? [giveBackCommit(this.#gone, agent, this.#givenBack)] : []),
      ...(claimed.length > 0 ? [claimCommit(claimed, agent, this.#claimed)] : []),
    ]
    return { commits, claims: this.#claims, answers: this.#answers }
  }

  /** A name that stands elsewhere too, or whose file here is not what the hub has: not before that is sorted out. */
  #standing(file: string): Standing | 'unsettled' | undefined {
    const found = [...this.#hub.of(file)]
    const [first] = found
    if (this.#unmerged.has(file) || this.#deps.attention.held.has(file) || found.length > 1) return 'unsettled'
    if (this.#touched.has(file)) return 'unsettled'
    return first && { path: first[0], oid: first[1], place: placeOf(first[0]) as TaskPlace }
  }

  async #claim(found: Standing, task: TaskFile, request?: string): Promise<string | undefined> {
    const { repo, agent, clock } = this.#deps
    const claimed = ifItFits(() => claimedBy(task, agent, new Date(clock.now()).toISOString()))
    if (!claimed) return NO_ROOM
    const oid = await repo.writeBlob(Buffer.from(renderTaskFile(claimed)))
    const to = taskPath({ kind: 'in-progress', agent }, fileNameOf(found.path))
    const rule = await this.#add(this.#claimed, found, [
      { path: found.path, oid: null },
      { path: to, oid },
    ])
    const { id: taskId, generation } = claimed.front
    if (rule === undefined) this.#claims.push({ taskId, generation, ...(request !== undefined && { request }) })
    return rule
  }

  /** As for any commit: what the table forbids is not pushed. Gives the rule. */
  async #add(into: PlannedChange[], found: Standing, changes: PlannedChange[]): Promise<string | undefined> {
    const { agent, zone } = this.#deps
    const own = await withBytes(changes, new Map([[found.path, { oid: found.oid }]]), this.#deps)
    const [violation] = checkCommit({ agent, zone }, own)
    if (violation) return violation.rule
    into.push(...changes)
    this.#touched.add(mergeKey(found.path))
    return undefined
  }
}

async function readTask({ oid, place }: Standing, { repo }: SyncDeps): Promise<ParsedTask> {
  return parseTaskFile(Buffer.from(await repo.readBlob(oid, maxBytesOf(place))).toString('utf8'))
}
