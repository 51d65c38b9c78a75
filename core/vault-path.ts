import { CountersignError } from './errors.ts'
import { shortId, type TaskId } from './ids.ts'

/** A checked path relative to the vault's root, `/` between folders: a known folder, a plain name, no way out. */
export type VaultPath = string & { readonly __brand: 'VaultPath' }

export const DOMAINS = ['email', 'social', 'accounting', 'whatsapp', 'payment', 'general'] as const
export type Domain = (typeof DOMAINS)[number]

/** The notes at the vault's root. */
export const ROOT_NOTES = ['Dashboard.md', 'Company_Handbook.md', 'Business_Goals.md', 'HALT.md'] as const
export type RootNote = (typeof ROOT_NOTES)[number]

/**
 * The review sheet, and what was kept of one that the person changed. They stay on the local machine: `parseVaultPath`
 * knows no such path, so no commit may hold them, no gate lets them in, and sync does not look at them.
 */
export const REVIEW_SHEET = 'Review.md' as VaultPath
const KEPT_REVIEW = /^Review\.kept-\d{8}T\d{6}Z(-\d{1,3})?\.md$/

export function isReviewPath(text: string): text is VaultPath {
  return text === REVIEW_SHEET || KEPT_REVIEW.test(text)
}

/** Where a sheet is kept that was changed; `more` counts those of the same second from 0. */
export function keptReviewPath(atMs: number, more: number): VaultPath {
  const utc = new Date(atMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  return `Review.kept-${utc}${more > 0 ? `-${more}` : ''}.md` as VaultPath
}

/** The folders at the vault's root; anything else there is the person's own and never looked at. */
export const VAULT_FOLDERS = [
  'Inbox',
  'Needs_Action',
  'Plans',
  'Examples',
  'In_Progress',
  'Pending_Approval',
  'Approved',
  'Rejected',
  'Done',
  'Updates',
  'Logs',
  'Attachments',
] as const

/** What a path means. Task places (`isTaskPlace`) hold task files, which keep their name all their life. */
export type Place =
  | { readonly kind: 'needs-action' | 'pending'; readonly domain: Domain }
  | { readonly kind: 'in-progress'; readonly agent: string }
  | { readonly kind: 'approved' | 'rejected' }
  | { readonly kind: 'done'; readonly month: string }
  | { readonly kind: 'inbox' | 'plans' | 'examples' | 'attachment' }
  | { readonly kind: 'updates' | 'log'; readonly agent: string }
  | { readonly kind: 'note'; readonly name: RootNote }

export type TaskPlace = Extract<
  Place,
  { kind: 'needs-action' | 'pending' | 'in-progress' | 'approved' | 'rejected' | 'done' }
>

/** An agent's name. */
export const AGENT = /^[a-z][a-z0-9-]{0,30}$/
const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/
/** A day of a ledger. */
export const LOG_FILE = /^\d{4}-\d{2}-\d{2}\.jsonl$/
const ATTACHMENT_FILE = /^[0-9a-f]{64}(\.[a-z0-9]{1,8})?$/
/** Generated names are ASCII; people may drop notes with any letters into Inbox/. */
const TASK_FILE =
  /^[A-Z][A-Z0-9]{1,15}_\d{4}-\d{2}-\d{2}_[a-z0-9-]{1,80}_[0-9a-z]{6}(\.conflict-[0-9A-Za-z-]{1,80})?\.md$/
const PLAIN_NOTE = /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._,()&+'-]{0,150}(\.conflict-[0-9A-Za-z-]{1,80})?\.md$/u
const LONGER_NOTE = /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._,()&+'-]*\.md$/u
const UPDATE_FILE = /^[0-9A-HJKMNP-TV-Z]{26}\.md$/
const CONFLICT = /\.conflict-[0-9A-Za-z-]+\.md$/
const MAX_PATH_BYTES = 255
/** Windows takes these for devices, with any ending and in any folder. */
const RESERVED = /^(con|prn|aux|nul|(com|lpt)[0-9¹²³])( *\.|$)/i

export type PathVerdict =
  | { readonly ok: true; readonly path: VaultPath; readonly place: Place }
  | { readonly ok: false; readonly rule: string }

/** Decides whether a string is a path of the vault contract. Never throws: hostile names are normal input. */
export function parseVaultPath(text: string): PathVerdict {
  if (text.length === 0 || Buffer.byteLength(text) > MAX_PATH_BYTES) return { ok: false, rule: 'path-length' }
  if (text !== text.normalize('NFC')) return { ok: false, rule: 'path-not-nfc' }
  const parts = text.split('/')
  if (parts.some((part) => part === '' || part.startsWith('.') || part.endsWith('.') || part.endsWith(' '))) {
    return { ok: false, rule: 'path-segment' }
  }
  if (parts.some((part) => RESERVED.test(part))) return { ok: false, rule: 'path-reserved' }
  const place = placeOfParts(parts)
  if (place) return { ok: true, path: text as VaultPath, place }
  const isLonger =
    parts.length === 2 && /^(Inbox|Plans|Examples)$/.test(parts[0] ?? '') && LONGER_NOTE.test(parts[1] ?? '')
  return { ok: false, rule: isLonger ? 'path-length' : 'path-unknown' }
}

/**
 * The path under which a name in another Unicode form is carried: macOS writes `é` as two characters, everybody else as
 * one. Undefined when that is not the only thing wrong with it.
 */
export function respelled(text: string): VaultPath | undefined {
  const verdict = parseVaultPath(text.normalize('NFC'))
  return verdict.ok && verdict.path !== text ? verdict.path : undefined
}

/** Equal for two paths that some file system takes for one: those that differ in case, or in Unicode form. */
export function foldedPath(path: string): string {
  return path.normalize('NFC').toLowerCase().replaceAll('ς', 'σ').normalize('NFC')
}

function placeOfParts(parts: readonly string[]): Place | undefined {
  const [folder, second, third] = parts
  const file = parts.at(-1) ?? ''
  const depth = parts.length
  if (depth === 1) return isRootNote(file) ? { kind: 'note', name: file } : undefined
  if (depth === 2) {
    if (folder === 'Approved' && TASK_FILE.test(file)) return { kind: 'approved' }
    if (folder === 'Rejected' && TASK_FILE.test(file)) return { kind: 'rejected' }
    if (folder === 'Inbox' && PLAIN_NOTE.test(file)) return { kind: 'inbox' }
    if (folder === 'Plans' && PLAIN_NOTE.test(file)) return { kind: 'plans' }
    if (folder === 'Examples' && PLAIN_NOTE.test(file)) return { kind: 'examples' }
    if (folder === 'Attachments' && ATTACHMENT_FILE.test(file)) return { kind: 'attachment' }
    return undefined
  }
  if (depth !== 3 || second === undefined || third === undefined) return undefined
  if (folder === 'Needs_Action' && isDomain(second) && TASK_FILE.test(file))
    return { kind: 'needs-action', domain: second }
  if (folder === 'Pending_Approval' && isDomain(second) && TASK_FILE.test(file))
    return { kind: 'pending', domain: second }
  if (folder === 'In_Progress' && AGENT.test(second) && TASK_FILE.test(file))
    return { kind: 'in-progress', agent: second }
  if (folder === 'Done' && MONTH.test(second) && TASK_FILE.test(file)) return { kind: 'done', month: second }
  if (folder === 'Updates' && AGENT.test(second) && UPDATE_FILE.test(file)) return { kind: 'updates', agent: second }
  if (folder === 'Logs' && AGENT.test(second) && LOG_FILE.test(file)) return { kind: 'log', agent: second }
  return undefined
}

/** A path that the program itself put together. Throws ERR_VAULT_PATH_INVALID. */
export function vaultPath(text: string): VaultPath {
  const verdict = parseVaultPath(text)
  if (verdict.ok) return verdict.path
  throw new CountersignError(
    'ERR_VAULT_PATH_INVALID',
    `not a path of the vault: ${JSON.stringify(text.slice(0, 200))} (${verdict.rule})`,
  )
}

export function placeOf(path: VaultPath): Place {
  const verdict = parseVaultPath(path)
  if (!verdict.ok)
    throw new CountersignError('ERR_VAULT_PATH_INVALID', `not a path of the vault: ${JSON.stringify(path)}`)
  return verdict.place
}

export function isTaskPlace(place: Place): place is TaskPlace {
  return ['needs-action', 'pending', 'in-progress', 'approved', 'rejected', 'done'].includes(place.kind)
}

/** Whether a path is that of a task file or of a conflict copy beside one. */
export function isTaskPath(path: string): boolean {
  const verdict = parseVaultPath(path)
  return verdict.ok && isTaskPlace(verdict.place)
}

/** The folder of a task place: `Needs_Action/email`, `Approved`, `Done/2026-11`. */
export function folderOf(place: TaskPlace): string {
  switch (place.kind) {
    case 'needs-action':
      return `Needs_Action/${place.domain}`
    case 'pending':
      return `Pending_Approval/${place.domain}`
    case 'in-progress':
      return `In_Progress/${place.agent}`
    case 'approved':
      return 'Approved'
    case 'rejected':
      return 'Rejected'
    case 'done':
      return `Done/${place.month}`
  }
}

export function taskPath(place: TaskPlace, fileName: string): VaultPath {
  return vaultPath(`${folderOf(place)}/${fileName}`)
}

export function fileNameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** `EMAIL_2026-11-20_invoice-for-march_7h3k9q.md`: readable in a file tree, unique without coordination. */
export function taskFileName(parts: { kind: string; dayIso: string; title: string; id: TaskId }): string {
  const slug = parts.title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 50)
    .replace(/^-+|-+$/g, '')
  return `${parts.kind}_${parts.dayIso}_${slug || 'untitled'}_${shortId(parts.id)}.md`
}

export function isConflictCopy(path: string): boolean {
  return CONFLICT.test(path)
}

/** The path (or file name) of what a conflict copy is a copy of; any other stays as it is. */
export function withoutConflictMark<T extends string>(path: T): T {
  return path.replace(CONFLICT, '.md') as T
}

/**
 * The name under which the losing side of a conflict is kept: `<stem>.conflict-<agent>-<utc>-<blob8>.md`. It derives
 * from the content, so that a repeated merge makes no second copy. A very long stem is cut to make room for the mark.
 */
export function conflictCopyPath(path: VaultPath, agent: string, atMs: number, blobId: string): VaultPath {
  const utc = new Date(atMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const mark = `.conflict-${agent}-${utc}-${blobId.slice(0, 8)}.md`
  const stem = [...path.replace(/\.md$/, '')]
  while (Buffer.byteLength(stem.join('')) + mark.length > MAX_PATH_BYTES) stem.pop()
  return `${stem.join('')}${mark}` as VaultPath
}

function isDomain(text: string): text is Domain {
  return (DOMAINS as readonly string[]).includes(text)
}

function isRootNote(text: string): text is RootNote {
  return (ROOT_NOTES as readonly string[]).includes(text)
}
