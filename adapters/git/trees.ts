import { CountersignError } from '#core/errors.ts'
import type { Oid } from '#core/ports/repo.ts'

export interface TreeEntry {
  /** As git prints it, six digits. */
  readonly mode: string
  readonly oid: Oid
}

/** One folder's entries by name. */
export type Tree = ReadonlyMap<string, TreeEntry>

/** One path at which two trees differ. */
export interface TreeChange {
  readonly path: string
  readonly before?: TreeEntry
  readonly after?: TreeEntry
}

export type ReadTree = (oid: Oid) => Promise<Tree>

export const FOLDER = '040000'
const FILE = '100644'
const OID_BYTES = 20
/** The vault has three levels; what lies deeper breaks the gate's rules anyway. */
const MAX_DEPTH = 16

/** The entries of a tree object: `<mode> <name>\0<20 bytes>`, one after the other. Throws ERR_GIT_FAILED. */
export function parseTree(bytes: Buffer): Map<string, TreeEntry> {
  const entries = new Map<string, TreeEntry>()
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at)
    const end = bytes.indexOf(0, space)
    if (space < 0 || end < 0 || end + 1 + OID_BYTES > bytes.length)
      throw new CountersignError('ERR_GIT_FAILED', 'reading a tree: it is cut off')
    const mode = bytes.toString('latin1', at, space).padStart(6, '0')
    const oid = bytes.toString('hex', end + 1, end + 1 + OID_BYTES) as Oid
    entries.set(bytes.toString('utf8', space + 1, end), { mode, oid })
    at = end + 1 + OID_BYTES
  }
  return entries
}

/** The tree object of these entries, in git's order: a folder sorts as if its name ended in a slash. */
export function formatTree(entries: Tree): Buffer {
  const sorted = [...entries]
    .map(([name, entry]) => ({
      name: Buffer.from(name),
      order: Buffer.from(isFolder(entry) ? `${name}/` : name),
      entry,
    }))
    .sort((a, b) => Buffer.compare(a.order, b.order))
  return Buffer.concat(
    sorted.flatMap(({ name, entry }) => [
      Buffer.from(`${entry.mode.replace(/^0/, '')} `),
      name,
      Buffer.from([0]),
      Buffer.from(entry.oid, 'hex'),
    ]),
  )
}

/** Every file that one tree has and the other has not, or has otherwise. Reads only folders that differ. */
export async function diffTrees(before: Oid | null, after: Oid | null, read: ReadTree): Promise<TreeChange[]> {
  const changes: TreeChange[] = []
  const walk = async (was: Oid | undefined, is: Oid | undefined, prefix: string, depth: number): Promise<void> => {
    if (was === is) return
    const [old, fresh] = [was ? await read(was) : new Map<string, TreeEntry>(), is ? await read(is) : new Map()]
    for (const name of new Set([...old.keys(), ...fresh.keys()])) {
      const [a, b] = [old.get(name), fresh.get(name) as TreeEntry | undefined]
      if (a?.oid === b?.oid && a?.mode === b?.mode) continue
      // What lies too deep is looked at no further: it counts as an entry, and no vault has one like it.
      const [isOldFolder, isNewFolder] = depth < MAX_DEPTH ? [isFolder(a), isFolder(b)] : [false, false]
      const path = `${prefix}${name}`
      if (isOldFolder || isNewFolder)
        await walk(isOldFolder ? a?.oid : undefined, isNewFolder ? b?.oid : undefined, `${path}/`, depth + 1)
      const [from, to] = [isOldFolder ? undefined : a, isNewFolder ? undefined : b]
      if (from || to) changes.push({ path, ...(from && { before: from }), ...(to && { after: to }) })
    }
  }
  await walk(before ?? undefined, after ?? undefined, '', 0)
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Writes the tree that comes of these changes; null removes a file. Folders that become empty go. */
export async function changeTree(
  base: Oid | null,
  changes: readonly { readonly path: string; readonly oid: Oid | null }[],
  io: { readonly read: ReadTree; readonly write: (tree: Tree) => Promise<Oid> },
): Promise<Oid> {
  const entries = await changedEntries(base, changes, io)
  return io.write(entries)
}

async function changedEntries(
  base: Oid | null,
  changes: readonly { readonly path: string; readonly oid: Oid | null }[],
  io: { readonly read: ReadTree; readonly write: (tree: Tree) => Promise<Oid> },
): Promise<Map<string, TreeEntry>> {
  const entries = new Map(base ? await io.read(base) : [])
  const deeper = new Map<string, { path: string; oid: Oid | null }[]>()
  for (const { path, oid } of changes) {
    const slash = path.indexOf('/')
    if (slash >= 0) {
      const name = path.slice(0, slash)
      const inside = deeper.get(name) ?? []
      inside.push({ path: path.slice(slash + 1), oid })
      deeper.set(name, inside)
    } else if (oid === null) entries.delete(path)
    else entries.set(path, { mode: FILE, oid })
  }
  for (const [name, inside] of deeper) {
    const known = entries.get(name)
    const below = await changedEntries(isFolder(known) ? (known?.oid ?? null) : null, inside, io)
    if (below.size === 0) entries.delete(name)
    else entries.set(name, { mode: FOLDER, oid: await io.write(below) })
  }
  return entries
}

export function isFolder(entry: TreeEntry | undefined): entry is TreeEntry {
  return entry?.mode === FOLDER
}
