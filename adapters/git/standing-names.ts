import type { Oid } from '#core/ports/repo.ts'
import { fileNameOf, isConflictCopy, isTaskPath } from '#core/vault-path.ts'
import type { RunGit } from './run-git.ts'

const OPEN_FOLDERS = ['Needs_Action', 'Pending_Approval', 'In_Progress', 'Approved', 'Rejected']

/**
 * The paths of a commit's tree among which are all that share a name with one of these. Lists no more than the folders
 * where such a one can stand: of the finished months none from before the task was there.
 */
export async function standingNames(run: RunGit, commit: Oid, paths: readonly string[]): Promise<string[]> {
  const tasks = paths.filter((path) => isTaskPath(path) && !isConflictCopy(path)).map(fileNameOf)
  const isSpelledFreely = (path: string) => /^(Inbox|Plans)\//.test(path) || isConflictCopy(path)
  const folders = new Set(paths.filter(isSpelledFreely).map((path) => path.slice(0, path.lastIndexOf('/'))))
  if (tasks.length > 0) for (const one of [...OPEN_FOLDERS, ...(await months(run, commit, tasks))]) folders.add(one)
  return folders.size > 0 ? list(run, ['-r', commit, ...folders]) : []
}

async function months(run: RunGit, commit: Oid, tasks: readonly string[]): Promise<string[]> {
  const begun = tasks.map((name) => /_(\d{4}-\d{2})-\d{2}_/.exec(name)?.[1] ?? '').sort()
  return (await list(run, [commit, 'Done/'])).filter((folder) => folder >= `Done/${begun[0]}`)
}

async function list(run: RunGit, args: readonly string[]): Promise<string[]> {
  const { stdout } = await run(['ls-tree', '-z', '--name-only', '--full-tree', ...args])
  return stdout.toString('utf8').split('\0').filter(Boolean)
}
