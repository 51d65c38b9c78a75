import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openReceived } from '#adapters/received/received.ts'
import { openTrash } from '#adapters/state-files/state-files.ts'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { openWorkTree } from '#adapters/vault-fs/work-tree.ts'
import { readConflictMark, rivalPaths } from '#core/conflict.ts'
import { CountersignError } from '#core/errors.ts'
import { parseHlc } from '#core/hlc.ts'
import { mergeKey } from '#core/merge.ts'
import { maxBytesOf } from '#core/path-ownership.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { fileNameOf, isTaskPlace, placeOf, type VaultPath, vaultPath, withoutConflictMark } from '#core/vault-path.ts'
import { decideZone } from '#core/zone-policy.ts'
import type { ZoneHome } from './zone-home.ts'

/** A file of which the vault holds two versions. */
export type Conflict = {
  /** The version that lost. */
  readonly copy: VaultPath
  /** Whose it is: this zone's own, or another's. */
  readonly lost: Side
  /** Who wrote it, and when; null when its name does not tell. */
  readonly copy_by: string | null
  readonly copy_at: string | null
  /** The file it lost against, where that stands now; null when it is gone. */
  readonly file: VaultPath | null
  /** Who wrote the version of the file that was last synchronised, and when. */
  readonly file_by: string | null
  readonly file_at: string | null
}

export type Side = 'mine' | 'theirs'

export type Settlement = {
  /** Where the version that was kept stands. */
  readonly kept: VaultPath
  /** The other one's place in the zone's state, for 30 days. */
  readonly trash: string | null
  /** A task file of which the person has not seen this version: the executor shows it anew. */
  readonly shown_anew: boolean
}

/** Every conflict copy of the vault with what it lost against, sorted. */
export async function listConflicting(home: ZoneHome): Promise<Conflict[]> {
  const vault = await openVault(home.vault)
  const storeFile = join(home.state, 'sync.sqlite')
  using store = existsSync(storeFile) ? openSyncStore(storeFile) : undefined
  const conflicts: Conflict[] = []
  for (const copy of await vault.conflicts()) {
    const mark = readConflictMark(copy)
    const file = await rivalOf(copy, vault)
    const written = parseHlc((file && store?.stamp(mergeKey(file))) ?? '')
    conflicts.push({
      lost: mark?.agent === home.agent ? 'mine' : 'theirs',
      ...{ copy, copy_by: mark?.agent ?? null, copy_at: mark?.at ?? null, file },
      ...{ file_by: written?.agent ?? null, file_at: written ? new Date(written.ms).toISOString() : null },
    })
  }
  return conflicts
}

/**
 * The conflict that `reference` means: the path or name of its copy, or of the file when that has one copy. Throws
 * ERR_CONFLICT_NOT_FOUND, ERR_USAGE.
 */
export async function findConflict(home: ZoneHome, reference: string): Promise<Conflict> {
  const wanted = reference.trim().replace(/^\.\//, '')
  const all = await listConflicting(home)
  const isNamed = (path: string | null) => path !== null && [path, fileNameOf(path)].includes(wanted)
  const copies = all.filter(({ copy }) => isNamed(copy))
  const matches =
    copies.length > 0 ? copies : all.filter(({ file, copy }) => isNamed(file ?? withoutConflictMark(copy)))
  const [first, ...others] = matches
  if (!first)
    throw new CountersignError('ERR_CONFLICT_NOT_FOUND', `looked for ${reference} in ${home.vault}: no conflict there`)
  if (others.length > 0)
    throw new CountersignError('ERR_USAGE', `${reference} has ${matches.length} copies: name one of them`)
  return first
}

/** Both versions as text; '' for a file that is gone. */
export async function readBoth(home: ZoneHome, { copy, file }: Conflict): Promise<{ copy: string; file: string }> {
  const vault = await openVault(home.vault)
  return { copy: (await vault.read(copy)) ?? '', file: (file && (await vault.read(file))) ?? '' }
}

/** It is the person's word, like an approval. */
export function maySettle({ zone }: ZoneHome): boolean {
  return decideZone(zone, 'general', 'approve').allow
}

/**
 * Keeps one of the two versions in the file's place and puts the other into the trash. Nothing is approved by it: a task
 * file that was replaced counts as received, so the executor shows it anew. Safe to repeat after a crash. Throws
 * ERR_ZONE_FORBIDDEN, ERR_CONFLICT_STATE.
 */
export async function settle(home: ZoneHome, conflict: Conflict, side: Side): Promise<Settlement> {
  if (!maySettle(home))
    throw new CountersignError('ERR_ZONE_FORBIDDEN', `settling ${conflict.copy} in the ${home.zone} zone`)
  return conflict.lost === side ? takeCopy(home, conflict) : dropCopy(home, conflict)
}

async function dropCopy(home: ZoneHome, { copy, file }: Conflict): Promise<Settlement> {
  if (!file) throw stateFault(`dropping ${copy}`, 'the file is gone, this is the only version left')
  return { kept: file, trash: await removeToTrash(home, copy), shown_anew: false }
}

async function takeCopy(home: ZoneHome, { copy, file }: Conflict): Promise<Settlement> {
  const vault = await openVault(home.vault)
  const target = file ?? vaultPath(withoutConflictMark(copy))
  const place = placeOf(target)
  if (isTaskPlace(place) && place.kind !== 'pending' && place.kind !== 'needs-action')
    throw stateFault(`putting ${copy} over ${target}`, 'that task is decided or being worked on')
  const text = await vault.read(copy)
  if (text === undefined) throw stateFault(`keeping ${copy}`, 'it is gone')
  if (isTaskPlace(place)) noteReceived(home, fileNameOf(target))
  const trash = file ? await replaceByCopy(home, vault, file, text) : null
  if (!file && (await vault.create(target, text)) === 'exists')
    throw stateFault(`putting ${copy} to ${target}`, 'a file appeared there meanwhile')
  await removeToTrash(home, copy)
  return { kept: target, trash, shown_anew: isTaskPlace(place) }
}

/** Before the bytes are there: whatever card was shown under this name does not count for them. */
function noteReceived(home: ZoneHome, fileName: string): void {
  using received = openReceived(home.state)
  received.note(fileName)
}

async function replaceByCopy(home: ZoneHome, vault: VaultPort, file: VaultPath, text: string): Promise<string> {
  const before = await vault.read(file)
  if (before === undefined) throw stateFault(`replacing ${file}`, 'it is gone')
  const kept = await toTrash(home, file, Buffer.from(before))
  const outcome = await vault.replaceIf(file, before, text)
  if (outcome !== 'replaced')
    throw stateFault(`replacing ${file}`, outcome === 'gone' ? 'it is gone' : 'it was changed')
  return kept
}

async function removeToTrash(home: ZoneHome, copy: VaultPath): Promise<string> {
  const workTree = openWorkTree(home.vault)
  const found = await workTree.read(copy, maxBytesOf(placeOf(copy)))
  if (!found) throw stateFault(`removing ${copy}`, 'it is gone or being written')
  const kept = await toTrash(home, copy, found.bytes)
  const outcome = await workTree.remove(copy, found.identity)
  if (outcome.kind === 'changed') throw stateFault(`removing ${copy}`, 'it was changed')
  if (outcome.displaced) await toTrash(home, copy, outcome.displaced)
  return kept
}

async function toTrash(home: ZoneHome, path: VaultPath, bytes: Uint8Array): Promise<string> {
  return (await openTrash(join(home.state, 'trash'), Date.now()))(path, bytes)
}

async function rivalOf(copy: VaultPath, vault: VaultPort): Promise<VaultPath | null> {
  if (isTaskPlace(placeOf(copy))) return (await vault.find(fileNameOf(withoutConflictMark(copy)))) ?? null
  for (const path of rivalPaths(copy)) if (await vault.exists(path)) return path
  return beginningLike(copy, vault)
}

/** The copy of a very long name has a shorter stem than its file. */
async function beginningLike(copy: VaultPath, vault: VaultPort): Promise<VaultPath | null> {
  const stem = withoutConflictMark(fileNameOf(copy)).replace(/\.md$/, '')
  if (stem.length < 100) return null
  const folder = copy.slice(0, copy.lastIndexOf('/'))
  const names = await readdir(join(vault.root, folder)).catch(() => [])
  const long = names.filter((name) => name.startsWith(stem) && name.endsWith('.md') && !readConflictMark(name))
  return long.length === 1 ? vaultPath(`${folder}/${long[0]}`) : null
}

function stateFault(what: string, found: string): CountersignError {
  return new CountersignError('ERR_CONFLICT_STATE', `${what}: ${found}`)
}
