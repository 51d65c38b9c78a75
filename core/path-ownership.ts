import { createHash } from 'node:crypto'
import { mayClaim } from './claim.ts'
import { TakenNames } from './taken-names.ts'
import { type FrontMatter, parseTaskFile, ticksOf } from './task-file.ts'
import { canMove, type Mover } from './task-state.ts'
import { fileNameOf, isConflictCopy, isTaskPlace, type Place, parseVaultPath, type TaskPlace } from './vault-path.ts'
import { decideZone, type Zone } from './zone-policy.ts'

/** Size limits by kind of file, bytes. */
export const MAX_NOTE_BYTES = 256 * 1024
export const MAX_LOG_BYTES = 64 * 1024 * 1024
export const MAX_ATTACHMENT_BYTES = 10 * 1024 * 1024
/** A commit that touches more paths is refused: no honest one does. */
export const MAX_CHANGES = 5_000
/** Conflict copies that one commit of the cloud may bring: the person looks at each of them. */
export const MAX_CONFLICT_COPIES = 100

/** One path of a commit. `before`/`after` are its bytes; absent means the path did not or does not exist. */
export interface FileChange {
  readonly path: string
  /** Git mode after the change (`100644`); undefined for a deletion. */
  readonly mode?: string | undefined
  readonly before?: Uint8Array | undefined
  readonly after?: Uint8Array | undefined
}

export interface Author {
  readonly agent: string
  readonly zone: Zone
}

export interface Violation {
  readonly path: string
  readonly rule: string
}

interface Located extends FileChange {
  readonly place: Place
}

/**
 * The path-ownership table as one function: what of a commit its author may not do. Applied by sync before it commits,
 * by the hub before it accepts, and by local to everything it fetches, by the commit's verified signature. `standing`
 * are paths of the tree that the commit builds on: those whose names the commit's new files might repeat.
 */
export function checkCommit(
  author: Author,
  changes: readonly FileChange[],
  standing: readonly string[] = [],
): Violation[] {
  if (changes.length > MAX_CHANGES) return [{ path: '', rule: 'too-many-changes' }]
  const violations: Violation[] = []
  const located: Located[] = []
  for (const change of changes) {
    const verdict = parseVaultPath(change.path)
    const rule = verdict.ok ? formRule(change, verdict.place) : verdict.rule
    if (rule) violations.push({ path: change.path, rule })
    else if (verdict.ok) located.push({ ...change, place: verdict.place })
  }
  const copies = located.filter((change) => isNew(change) && isConflictCopy(change.path))
  if (author.zone === 'cloud' && copies.length > MAX_CONFLICT_COPIES)
    violations.push({ path: '', rule: 'too-many-conflict-copies' })
  for (const change of located) {
    const rule = ownerRule(author, change, located)
    if (rule) violations.push({ path: change.path, rule })
  }
  return [...violations, ...nameViolations(located, standing)]
}

/** New names that stand already: as another spelling of a file, or as another place of a task. */
function nameViolations(changes: readonly Located[], standing: readonly string[]): Violation[] {
  const taken = new TakenNames(standing)
  taken.change(changes)
  return changes.filter(isNew).flatMap(({ path }) => taken.brokenBy(path).map((rule) => ({ path, rule })))
}

/** What no author may write: modes, sizes, bytes that are not text, a ledger that does not continue its former self. */
function formRule(change: FileChange, place: Place): string | undefined {
  if (change.after === undefined) return undefined
  if (change.mode !== '100644') return 'mode'
  if (change.after.length > maxBytesOf(place)) return 'size'
  if (place.kind !== 'attachment') return isPlainText(change.after) ? undefined : 'not-utf8-text'
  // The person approves it by its hash: the name must not lie about the content.
  const sha256 = createHash('sha256').update(change.after).digest('hex')
  return fileNameOf(change.path).startsWith(sha256) ? undefined : 'attachment-name'
}

/** The largest file a place may hold, bytes. */
export function maxBytesOf(place: Place): number {
  if (place.kind === 'attachment') return MAX_ATTACHMENT_BYTES
  return place.kind === 'log' ? MAX_LOG_BYTES : MAX_NOTE_BYTES
}

function ownerRule(author: Author, change: Located, all: readonly Located[]): string | undefined {
  const { place } = change
  if (place.kind === 'log') return logRule(author, change)
  if (author.zone === 'local') return localRule(author, change, all)
  switch (place.kind) {
    case 'needs-action':
    case 'pending':
    case 'in-progress':
    case 'approved':
    case 'rejected':
    case 'done':
      return cloudTaskRule(author, change, place, all)
    case 'updates':
      return place.agent === author.agent ? undefined : 'not-your-updates'
    case 'plans':
      return planRule(change)
    case 'attachment':
      return isNew(change) ? undefined : 'attachment-is-immutable'
    case 'inbox':
    case 'examples':
    case 'note':
      return 'local-only-path'
  }
}

function logRule(author: Author, change: Located): string | undefined {
  if (change.place.kind !== 'log' || change.place.agent !== author.agent) return 'not-your-ledger'
  if (change.after === undefined) return 'ledger-deleted'
  const { before, after } = change
  return before === undefined || Buffer.from(after.subarray(0, before.length)).equals(before)
    ? undefined
    : 'ledger-rewritten'
}

/** Local may write everything but another agent's folders, where it only removes: merged updates, and work it gives back. */
function localRule(author: Author, change: Located, all: readonly Located[]): string | undefined {
  const { place } = change
  if (place.kind === 'updates' && place.agent !== author.agent)
    return change.after === undefined ? undefined : 'not-your-updates'
  if (place.kind !== 'in-progress' || place.agent === author.agent) return undefined
  const name = `/${fileNameOf(change.path)}`
  const isGivenBack = all.some(
    (other) => isNew(other) && other.place.kind === 'needs-action' && other.path.endsWith(name),
  )
  return change.after === undefined && isGivenBack ? undefined : 'not-your-work'
}

/** Plans are notes of both: the cloud adds and edits, and takes nothing away. */
function planRule(change: Located): string | undefined {
  if (isConflictCopy(change.path)) return isNew(change) ? undefined : 'conflict-copy-is-the-persons'
  return change.after === undefined ? 'plan-removed' : undefined
}

function cloudTaskRule(author: Author, change: Located, place: TaskPlace, all: readonly Located[]): string | undefined {
  if (place.kind === 'approved' || place.kind === 'rejected' || place.kind === 'done') return 'local-only-path'
  if (place.kind === 'in-progress' && place.agent !== author.agent) return 'not-your-work'
  if (place.kind === 'pending' && !decideZone(author.zone, place.domain, 'draft').allow) return 'domain-local-only'
  if (isConflictCopy(change.path)) return copyRule(author, change, place)
  if (change.after === undefined) return leavesProperly(author, change, place, all) ? undefined : 'task-removed'
  const after = parsedTask(change.after)
  if (!after) return 'task-file-invalid'
  const rule =
    change.before !== undefined
      ? editRule(parsedTask(change.before), after, place)
      : arrivesProperly(author, change, place, all)
  return rule ?? contentRule(after, place)
}

/**
 * The losing side of a conflict is added and then the person's. They may make it the task again, so it says no more than
 * a task of the cloud may; one that nobody can read says nothing.
 */
function copyRule(author: Author, change: Located, place: TaskPlace): string | undefined {
  if (!isNew(change) || change.after === undefined) return 'conflict-copy-is-the-persons'
  const copy = parsedTask(change.after)
  if (!copy) return undefined
  if (!decideZone(author.zone, copy.front.domain, 'draft').allow) return 'domain-local-only'
  return contentRule(copy, place)
}

/** A task file only ever disappears from one place because it appears, under its name, in the next. */
function leavesProperly(by: Mover, change: Located, from: TaskPlace, all: readonly Located[]): boolean {
  const name = fileNameOf(change.path)
  return all.some(
    (other) =>
      other.path !== change.path &&
      isNew(other) &&
      isTaskPlace(other.place) &&
      other.path.endsWith(`/${name}`) &&
      canMove(from, other.place, by),
  )
}

function arrivesProperly(author: Author, change: Located, to: TaskPlace, all: readonly Located[]): string | undefined {
  if (to.kind === 'needs-action' && !all.some((other) => isDeparture(other, change))) return undefined
  const origin = all.find((other) => isDeparture(other, change))
  if (!origin || !isTaskPlace(origin.place)) return 'appears-from-nowhere'
  if (!canMove(origin.place, to, author)) return 'forbidden-transition'
  if ('domain' in origin.place && !decideZone(author.zone, origin.place.domain, 'claim').allow)
    return 'domain-local-only'
  const before = origin.before && parsedTask(origin.before)
  const after = change.after && parsedTask(change.after)
  if (!before || !after || before.front.id !== after.front.id) return 'task-id-changed'
  if (to.kind === 'in-progress' && !mayClaim(before, author.agent)) return 'kept-for-another'
  const [was, is] = [before.front.generation, after.front.generation]
  if (to.kind === 'in-progress' && is !== was + 1) return 'generation'
  if (to.kind !== 'in-progress' && is < was) return 'generation'
  return undefined
}

/**
 * The cloud may replace its own undecided draft until local has put it before the person, and work on what it claimed.
 * What nobody can read in Pending_Approval was a card that the person broke: no one can tell any more that it is open.
 */
function editRule(before: ParsedFile | undefined, after: ParsedFile, place: TaskPlace): string | undefined {
  if (place.kind === 'pending' && !before) return 'broken-file-is-the-persons'
  if (place.kind === 'pending' && before?.front.presented) return 'presented-draft-is-frozen'
  if (!before) return undefined
  if (before.front.id !== after.front.id) return 'task-id-changed'
  const step = after.front.generation - before.front.generation
  return step < 0 || (place.kind === 'in-progress' && step > 0) ? 'generation' : undefined
}

/** What a file of the cloud never says: that it was put before the person, or what they decided. */
function contentRule({ front, ticks }: ParsedFile, place: TaskPlace): string | undefined {
  if (front.presented) return 'presented-is-locals'
  if (ticks > 0) return 'decision-is-the-persons'
  return 'domain' in place && place.domain !== front.domain ? 'domain-differs' : undefined
}

function isNew(change: Located): boolean {
  return change.before === undefined && change.after !== undefined
}

function isDeparture(other: Located, arrival: Located): boolean {
  return other.after === undefined && other.before !== undefined && other.path.endsWith(`/${fileNameOf(arrival.path)}`)
}

interface ParsedFile {
  readonly front: FrontMatter
  readonly ticks: number
}

function parsedTask(bytes: Uint8Array): ParsedFile | undefined {
  const parsed = parseTaskFile(Buffer.from(bytes).toString('utf8'))
  return parsed.ok ? { front: parsed.task.front, ticks: ticksOf(parsed.task).length } : undefined
}

function isPlainText(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}
