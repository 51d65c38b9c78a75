import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { platform } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SEARCH_PATH } from '#adapters/git/run-git.ts'
import { CountersignError } from '#core/errors.ts'
import { cacheFolder, libraryPath, unpackPackages } from './debian-packages.ts'

const run = promisify(execFile)

/**
 * Finds the program git signs commits with. Undefined: the system has one where git looks. Else the path of one
 * unpacked from the system's packages into our cache. Throws ERR_PROGRAM_MISSING.
 */
export async function findSshKeygen(search: {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly say: (line: string) => void
  readonly systemPath?: string
}): Promise<string | undefined> {
  const { env, say, systemPath = SEARCH_PATH } = search
  if (systemPath.split(':').some((folder) => existsSync(join(folder, 'ssh-keygen')))) return undefined
  const cache = cacheFolder(env, 'ssh')
  const program = join(cache, 'ssh-keygen')
  if (await isUsable(program)) return program
  if (platform() === 'linux') {
    say(`Unpacking the system's openssh-client package into ${cache} (once; nothing is installed).`)
    await unpack(cache, program).catch(() => {}) // told below
    if (await isUsable(program)) return program
  }
  throw new CountersignError('ERR_PROGRAM_MISSING', `looked for ssh-keygen in ${systemPath}: not there`)
}

async function unpack(cache: string, program: string): Promise<void> {
  await mkdir(cache, { recursive: true })
  await unpackPackages(cache, ['openssh-client'], ['libssl3', 'libssl3t64', 'zlib1g', 'libselinux1', 'libpcre2-8-0'])
  const root = join(cache, 'root')
  // A wrapper: git starts it without our environment, and it needs its libraries.
  await writeFile(
    program,
    `#!/bin/sh\nLD_LIBRARY_PATH='${libraryPath(root)}' exec '${join(root, 'usr/bin/ssh-keygen')}' "$@"\n`,
  )
  await chmod(program, 0o755)
}

async function isUsable(program: string): Promise<boolean> {
  // It has no --version; an unknown option makes it print its usage, a missing library does not.
  const { stderr } = await run(program, ['-?']).catch((error: { stderr?: string }) => ({ stderr: error.stderr ?? '' }))
  return stderr.includes('usage: ssh-keygen')
}
