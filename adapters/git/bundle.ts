import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HARDENED } from './config.ts'
import { initBare } from './init-bare.ts'
import { gitRunner } from './run-git.ts'

const TIMEOUT_MS = 600_000
/** What nobody has pushed there, as git's own name for "where HEAD is". */
const REFS = /^([0-9a-f]{40,64}) (refs\/.+)$/

/**
 * Writes a repository with its whole history into one file: git reads the refs once, then what they lead to, so that it is
 * consistent however much is pushed meanwhile. False: there is no repository, or nothing in it yet.
 */
export async function bundleRepository(gitDir: string, file: string): Promise<boolean> {
  if (!existsSync(join(gitDir, 'HEAD'))) return false
  const run = gitRunner(gitDir)
  const { stdout } = await run(['for-each-ref', '--count=1'])
  if (stdout.length === 0) return false
  await run(['bundle', 'create', '--quiet', file, '--all'], { timeoutMs: TIMEOUT_MS })
  return true
}

/** Where each ref of a bundle stands. Throws ERR_GIT_FAILED for what is no bundle. */
export async function bundleRefs(file: string): Promise<Record<string, string>> {
  const { stdout } = await gitRunner(dirname(file))(['bundle', 'list-heads', file])
  return Object.fromEntries(
    stdout
      .toString()
      .split('\n')
      .flatMap((line) => {
        const [, oid, ref] = REFS.exec(line) ?? []
        return oid && ref ? [[ref, oid] as const] : []
      }),
  )
}

/** Makes a bare repository of a bundle, and looks at every object of it. Throws ERR_GIT_FAILED when it is not whole. */
export async function unbundle(file: string, gitDir: string): Promise<void> {
  const run = gitRunner(gitDir)
  await initBare(run, gitDir, HARDENED)
  await run(['fetch', '--quiet', file, '+refs/*:refs/*'], { timeoutMs: TIMEOUT_MS })
  await run(['fsck', '--full', '--no-dangling', '--no-progress'], { timeoutMs: TIMEOUT_MS })
}
