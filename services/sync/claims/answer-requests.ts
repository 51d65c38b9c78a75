import { maxBytesOf } from '#core/path-ownership.ts'
import type { SyncAnswer, SyncRequest } from '#core/sync-request.ts'
import { parseTaskFile } from '#core/task-file.ts'
import { folderOf, isTaskPlace, placeOf } from '#core/vault-path.ts'
import type { CycleOutcome } from '../cycle-outcome.ts'
import type { SyncDeps } from '../sync-deps.ts'
import { isOwnMatter } from './standing.ts'

/** Answers what is decided; the ledger is told where a task changed hands. */
export async function answerRequests(
  requests: readonly SyncRequest[],
  answers: ReadonlyMap<string, SyncAnswer>,
  deps: SyncDeps,
): Promise<void> {
  for (const request of requests) {
    if (request.kind === 'look' && isOwnMatter(request.file, deps) && !answers.has(request.id)) continue
    const answer = answers.get(request.id) ?? (request.kind === 'look' ? await sightOf(request, deps) : undefined)
    if (!answer) continue
    if (request.kind === 'give-back' && answer.kind === 'landed') await recordGiveBack(request, answer, deps)
    await deps.requests.answer(request.id, answer)
  }
}

/** Where the hub could not be asked, whoever waits is told so; the request stands. */
export async function answerWaiting(
  requests: readonly SyncRequest[],
  outcome: CycleOutcome,
  { requests: port }: SyncDeps,
): Promise<void> {
  const say = waitingFor(outcome)
  if (say === undefined) return
  for (const { id } of requests) await port.answer(id, { kind: 'waiting', say })
}

function waitingFor(outcome: CycleOutcome): string | undefined {
  switch (outcome.kind) {
    case 'unreachable':
      return `The hub cannot be reached: ${outcome.reason}`.slice(0, 500)
    case 'push-refused':
      return `The hub refuses what this zone pushes: ${outcome.reason}`.slice(0, 500)
    case 'refused':
      return 'The hub holds something that may not enter; until that is settled nothing is pushed.'
    case 'synced':
    case 'idle':
    case 'unsettled':
    case 'contended':
      return undefined
  }
}

/** Where a task stands at the hub, as this very round has seen and verified it. */
async function sightOf({ file }: SyncRequest, { store, repo }: SyncDeps): Promise<SyncAnswer> {
  const [found] = store.hubOf([file])
  if (!found) return { kind: 'seen', place: null, generation: null }
  const [path, { oid }] = found
  const place = placeOf(path)
  const parsed = parseTaskFile(Buffer.from(await repo.readBlob(oid, maxBytesOf(place))).toString('utf8'))
  return {
    kind: 'seen',
    place: isTaskPlace(place) ? folderOf(place) : null,
    generation: parsed.ok ? parsed.task.front.generation : null,
  }
}

async function recordGiveBack(
  { task, holder, keptFor, domain, why }: Extract<SyncRequest, { kind: 'give-back' }>,
  { generation }: Extract<SyncAnswer, { kind: 'landed' }>,
  { ledger }: SyncDeps,
): Promise<void> {
  const data = {
    ...{ generation, ...(holder && { from: holder }), ...(keptFor !== undefined && { for: keptFor }) },
    ...{ ...(domain && { domain }), ...(why && { why }) },
  }
  await ledger.append('task.given-back', { task, data })
}
