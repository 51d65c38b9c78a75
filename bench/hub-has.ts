import { execFileSync } from 'node:child_process'
import { watch } from 'node:fs'
import { join } from 'node:path'

/**
 * Waits for the hub's branch to hold a file below the folder whose name contains `slug`; looks at each change of the
 * branch. Resolves with its path below the folder.
 */
export async function hubHas(hub: string, folder: string, slug: string, limitMs: number): Promise<string> {
  const look = () => {
    const names = execFileSync('git', ['--git-dir', hub, 'ls-tree', '-r', '--name-only', `main:${folder}`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return names
      .toString()
      .split('\n')
      .find((name) => name.includes(slug))
  }
  const found = Promise.withResolvers<string>()
  const check = () => {
    try {
      const name = look()
      if (name) found.resolve(name)
    } catch {
      // The folder is not there yet.
    }
  }
  const watcher = watch(join(hub, 'refs/heads'), check)
  const deadline = setTimeout(() => found.reject(new Error(`no file for ${slug} within ${limitMs} ms`)), limitMs)
  check()
  try {
    return await found.promise
  } finally {
    watcher.close()
    clearTimeout(deadline)
  }
}
