import type { Oid } from '#core/ports/repo.ts'
import { fileNameOf, isConflictCopy, isTaskPath } from '#core/vault-path.ts'
import { unreadable } from './cat-file.ts'
import type { ObjectReader } from './objects.ts'
import { diffTrees, FOLDER, isFolder, type TreeEntry } from './trees.ts'

const OPEN_FOLDERS = ['Needs_Action', 'Pending_Approval', 'In_Progress', 'Approved', 'Rejected']

/**
 * The paths of a commit's tree among which are all that share a name with one of these. Lists no more than the folders
 * where such a one can stand: of the finished months none from before the task was there.
 */
export async function standingNames(
  { readCommit, readTree }: Pick<ObjectReader, 'readCommit' | 'readTree'>,
  commit: Oid,
  paths: readonly string[],
): Promise<string[]> {
  const tasks = paths.filter((path) => isTaskPath(path) && !isConflictCopy(path)).map(fileNameOf)
  const isSpelledFreely = (path: string) => /^(Inbox|Plans)\//.test(path) || isConflictCopy(path)
  const folders = new Set(paths.filter(isSpelledFreely).map((path) => path.slice(0, path.lastIndexOf('/'))))
  if (tasks.length === 0 && folders.size === 0) return []
  const { tree } = await readCommit(commit)
  if (tree === null) throw unreadable(commit, 'it is no commit of ours')
  const at = async (path: string) => {
    let found: TreeEntry | undefined = { mode: FOLDER, oid: tree }
    for (const name of path.split('/')) found = isFolder(found) ? (await readTree(found.oid)).get(name) : undefined
    return found
  }
  const months = async () => {
    const done = await at('Done')
    if (!isFolder(done)) return []
    const begun = tasks.map((name) => /_(\d{4}-\d{2})-\d{2}_/.exec(name)?.[1] ?? '').sort()
    return [...(await readTree(done.oid)).keys()]
      .filter((name) => name >= (begun[0] ?? ''))
      .map((name) => `Done/${name}`)
  }
  if (tasks.length > 0) for (const folder of [...OPEN_FOLDERS, ...(await months())]) folders.add(folder)
  const names: string[] = []
  for (const folder of folders) {
    const found = await at(folder)
    if (isFolder(found))
      for (const { path } of await diffTrees(null, found.oid, readTree)) names.push(`${folder}/${path}`)
    else if (found) names.push(folder)
  }
  return names
}
