import { CountersignError } from '#core/errors.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { RunGit } from './run-git.ts'

const REFS = 'refs/countersign/lost/'

/** Makes the refs to kept bytes exactly these. */
export async function keepBlobs(run: RunGit, blobs: ReadonlyMap<string, Oid>): Promise<void> {
  const { stdout } = await run(['for-each-ref', '--format=%(refname)', REFS])
  const before = stdout.toString('utf8').split('\n').filter(Boolean)
  const wanted = new Map([...blobs].map(([name, oid]) => [`${REFS}${checkedName(name)}`, oid]))
  const lines = [
    ...before.filter((ref) => !wanted.has(ref)).map((ref) => `delete ${ref}`),
    ...[...wanted].map(([ref, oid]) => `update ${ref} ${oid}`),
  ]
  if (lines.length > 0) await run(['update-ref', '--stdin'], { input: `${lines.join('\n')}\n` })
}

function checkedName(name: string): string {
  if (/^[A-Za-z0-9-]{1,100}$/.test(name)) return name
  throw new CountersignError('ERR_GIT_FAILED', `not a name for a ref of this clone: ${JSON.stringify(name)}`)
}
