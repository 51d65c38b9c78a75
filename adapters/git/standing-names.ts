import type { Oid } from '#core/ports/repo.ts'
import { whereToLook } from '#core/taken-names.ts'
import type { RunGit } from './run-git.ts'

const OPEN_FOLDERS = ['Needs_Action', 'Pending_Approval', 'In_Progress', 'Approved', 'Rejected']

/**
 * The paths of a commit's tree among which are all that share a name with one of these. Lists no more than the folders
 * where such a one can stand: of the finished months none from before the task was there.
 */
export async function standingNames(run: RunGit, commit: Oid, paths: readonly string[]): Promise<string[]> {
  const { folders, tasks } = whereToLook(paths)
  const wanted = new Set(folders)
  if (tasks.size > 0) for (const folder of [...OPEN_FOLDERS, ...(await months(run, commit, tasks))]) wanted.add(folder)
  return wanted.size > 0 ? list(run, ['-r', commit, ...wanted]) : []
}

async function months(run: RunGit, commit: Oid, tasks: ReadonlySet<string>): Promise<string[]> {
  const days = [...tasks].map((name) => /_(\d{4}-\d{2})-\d{2}_/.exec(name)?.[1] ?? '')
  const first = `Done/${days.sort()[0]}`
  return (await list(run, [commit, 'Done/'])).filter((folder) => folder >= first)
}

async function list(run: RunGit, args: readonly string[]): Promise<string[]> {
  const { stdout } = await run(['ls-tree', '-z', '--name-only', '--full-tree', ...args])
  return stdout.toString('utf8').split('\0').filter(Boolean)
}
