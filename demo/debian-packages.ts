import { execFile } from 'node:child_process'
import { mkdir, readdir } from 'node:fs/promises'
import { arch, homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const LIMIT_MS = 120_000

/** Where unpacked programs are kept between runs. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>, name: string): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'countersign', name)
}

/** Where packages put their shared libraries below `root`, as LD_LIBRARY_PATH wants it. */
export function libraryPath(root: string): string {
  const triplet = `${arch() === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`
  return [join(root, 'usr/lib', triplet), join(root, 'lib', triplet)].join(':')
}

/**
 * Unpacks packages of the Debian or Ubuntu this runs on into `<cache>/root`. Nothing is installed, no script of theirs
 * runs, no root is needed. `libraries` are fetched as far as this release has them. Throws what apt-get or dpkg said.
 */
export async function unpackPackages(
  cache: string,
  packages: readonly string[],
  libraries: readonly string[],
): Promise<void> {
  const downloads = join(cache, 'downloads')
  const root = join(cache, 'root')
  for (const folder of [downloads, root]) await mkdir(folder, { recursive: true })
  const options = { cwd: downloads, timeout: LIMIT_MS }
  const lists = await downloadFirst(cache, packages, options)
  for (const library of libraries) await run('apt-get', [...lists, 'download', '-q', library], options).catch(() => {}) // not every release has each
  for (const name of await readdir(downloads)) {
    if (name.endsWith('.deb')) await run('dpkg', ['-x', join(downloads, name), root], options)
  }
}

/** Downloads the packages; gives the options under which apt-get found them. */
async function downloadFirst(
  cache: string,
  packages: readonly string[],
  options: { cwd: string; timeout: number },
): Promise<string[]> {
  try {
    await run('apt-get', ['download', '-q', ...packages], options)
    return []
  } catch {
    // A machine without package lists (a slim container): fetch them beside our cache, the system's stay untouched.
    const own = ownLists(cache)
    await mkdir(join(cache, 'lists', 'partial'), { recursive: true })
    await run('apt-get', [...own, 'update', '-q'], options)
    await run('apt-get', [...own, 'download', '-q', ...packages], options)
    return own
  }
}

function ownLists(cache: string): string[] {
  const set = (key: string, value: string) => ['-o', `${key}=${value}`]
  return [
    ...set('Dir::State::lists', join(cache, 'lists')),
    ...set('Dir::Cache', join(cache, 'apt')),
    ...set('APT::Sandbox::User', 'root'),
  ]
}
