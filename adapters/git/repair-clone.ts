import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { CountersignError, messageOf } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import type { Oid } from '#core/ports/repo.ts'
import { damagedLooseObjects, damagedPacks, damagedRefs, fsck, removeLeftovers, setAside } from './clone-damage.ts'
import { checkHubUrl, cloneSettings, isSshUrl } from './config.ts'
import { initBare } from './init-bare.ts'
import { lockClone, removeStaleLocks } from './lock.ts'
import type { RepoOptions } from './repo.ts'
import { type GitResult, gitRunner, type RunGit, withoutCredentials } from './run-git.ts'
import { shareConnection, shellLine } from './ssh.ts'

export interface RepairOptions extends RepoOptions {
  /** Absolute; where what is damaged is put, to be looked at. On the clone's file system. */
  readonly asideDir: string
  /** The bytes of those of the wanted blobs that the vault still holds. */
  readonly findInVault: (wanted: ReadonlySet<string>) => Promise<Uint8Array[]>
}

const FETCH_TIMEOUT_MS = 600_000
/** Less room than this is none: repairing would fail half-way. */
const ROOM_BYTES = 1024 * 1024
const MAX_NAMED = 5

/**
 * Checks a clone that no process works on and repairs what it can: files that a killed git left, damaged refs, packs and
 * objects, which are put aside and got again from the vault or the hub; else a new clone in its place. Refs of this clone
 * alone are carried over. Running it again is safe. Throws ERR_CLONE_IN_USE, ERR_CONFIG_INVALID (the hub's address).
 */
export async function repairClone(options: RepairOptions): Promise<Finding[]> {
  const { gitDir, asideDir } = options
  checkHubUrl(options.hubUrl)
  const wasThere = existsSync(join(gitDir, 'objects'))
  if (statSync(gitDir, { throwIfNoEntry: false })?.isDirectory() === false)
    setAside(dirname(gitDir), [gitDir], asideDir)
  mkdirSync(gitDir, { recursive: true, mode: 0o700 })
  const lock = lockClone(gitDir)
  try {
    const room = roomFinding(gitDir)
    if (room.result === 'failed') return [room]
    return [
      wasThere
        ? ok('clone', `${basename(gitDir)} is there`)
        : repaired('clone', `${basename(gitDir)} was missing, made anew`),
      swept('locks', removeStaleLocks(gitDir, 0, Date.now()), gitDir, 'left by a killed git, removed'),
      swept('leftovers', removeLeftovers(gitDir), gitDir, 'half-received, removed'),
      ...(await repairContent(options)),
    ]
  } finally {
    lock[Symbol.dispose]()
  }
}

async function repairContent(options: RepairOptions): Promise<Finding[]> {
  const { gitDir } = options
  using ssh =
    isSshUrl(options.hubUrl) && options.ssh
      ? shareConnection(options.ssh, gitDir)
      : { words: undefined, [Symbol.dispose]() {} }
  const settings = cloneSettings({ ...options, sshCommand: ssh.words && shellLine(ssh.words) })
  const run = gitRunner(gitDir)
  // A cache of the newest tree; made anew when needed.
  rmSync(join(gitDir, 'countersign-index'), { force: true })
  try {
    await initBare(run, gitDir, settings)
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error
    return [await cloneAnew(run, settings, options, failed('objects', error.message))]
  }
  const refs = await repairRefs(run, options)
  if (await isWhole(run)) return [refs, ok('objects', 'all there and sound')]
  const objects = await repairObjects(run, options)
  if (objects.result !== 'failed') return [refs, objects]
  return [refs, await cloneAnew(run, settings, options, objects)]
}

async function repairRefs(run: RunGit, { gitDir, asideDir }: RepairOptions): Promise<Finding> {
  const damaged = damagedRefs(gitDir)
  const packed = join(gitDir, 'packed-refs')
  const isReadable = (await run(['for-each-ref'], { accept: 'any' })).exitCode === 0
  if (!isReadable && existsSync(packed)) damaged.push(packed)
  return swept('refs', setAside(gitDir, damaged, asideDir), gitDir, 'damaged, put aside')
}

/** Puts damaged objects aside and gets them again: from the vault, which may have what was never pushed, and from the hub. */
async function repairObjects(run: RunGit, options: RepairOptions): Promise<Finding> {
  const { gitDir, asideDir } = options
  const damaged = [...(await damagedPacks(run, gitDir)), ...damagedLooseObjects(gitDir)]
  const names = setAside(gitDir, damaged, asideDir)
  const found = names.length > 0 ? `damaged, put aside: ${named(names)}` : 'some were missing'
  const missing = await missingBlobs(run)
  const written = missing.size > 0 ? await writeAgain(run, await options.findInVault(missing)) : 0
  const again = written > 0 ? `, ${written} written again from the vault` : ''
  if (await isWhole(run)) return repaired('objects', `${found}${again}`)
  const fetched = await fetchEverything(run)
  if (fetched.exitCode !== 0) return failed('objects', `${found}${again}; ${hubSaid(fetched)}`, HUB_HINT)
  await dropUnconnected(run)
  if (await isWhole(run)) return repaired('objects', `${found}${again}, fetched again from the hub`)
  return failed('objects', `${found}${again}; the hub does not have all of them`)
}

/**
 * A new clone beside the old one, which is put aside when the new one is complete. What the hub has not is gone with the
 * old clone's objects; the vault has it, and sync merges it as edits.
 */
async function cloneAnew(
  old: RunGit,
  settings: Readonly<Record<string, string>>,
  { gitDir, asideDir }: RepairOptions,
  why: Finding,
): Promise<Finding> {
  const fresh = `${gitDir}.new`
  rmSync(fresh, { recursive: true, force: true })
  const run = gitRunner(fresh)
  await initBare(run, fresh, settings)
  const fetched = await fetchEverything(run)
  if (fetched.exitCode !== 0) {
    rmSync(fresh, { recursive: true, force: true })
    return failed('objects', `${why.found}; ${hubSaid(fetched)}`, HUB_HINT)
  }
  await carryRefs(old, run)
  mkdirSync(asideDir, { recursive: true, mode: 0o700 })
  renameSync(gitDir, join(asideDir, basename(gitDir)))
  renameSync(fresh, gitDir)
  return repaired('objects', `${why.found}: cloned anew, the old clone is kept in ${asideDir}`)
}

/** Refs of this clone alone: those whose objects the hub has, and the kept bytes of conflicts. */
async function carryRefs(from: RunGit, to: RunGit): Promise<void> {
  for (const { name, oid, type } of await refsOf(from)) {
    if (type === 'blob') {
      const bytes = await from(['cat-file', 'blob', oid], { accept: 'any' })
      if (bytes.exitCode === 0 && bytes.stdout.length > 0) await writeAgain(to, [bytes.stdout])
    }
    const isThere = (await to(['rev-list', '--objects', '--quiet', oid], { accept: 'any' })).exitCode === 0
    if (isThere && name !== 'refs/countersign/hub') await to(['update-ref', name, oid])
  }
}

/** What is kept only to be looked at need not be whole. */
async function dropUnconnected(run: RunGit): Promise<void> {
  for (const { name, oid } of await refsOf(run)) {
    if (name === 'refs/countersign/verified') continue
    const { exitCode } = await run(['rev-list', '--objects', '--quiet', oid], { accept: 'any' })
    if (exitCode !== 0) await run(['update-ref', '-d', name], { accept: 'any' })
  }
}

async function refsOf(run: RunGit): Promise<{ name: string; oid: Oid; type: string }[]> {
  // The object's type is not asked of git: that would fail for all when one object is missing.
  const { stdout } = await run(['for-each-ref', '--format=%(refname) %(objectname)'], { accept: 'any' })
  const refs = stdout.toString('utf8').trim().split('\n').filter(Boolean)
  return refs.map((line) => {
    const [name = '', oid = ''] = line.split(' ')
    return { name, oid: oid as Oid, type: name.startsWith('refs/countersign/lost/') ? 'blob' : 'commit' }
  })
}

async function missingBlobs(run: RunGit): Promise<Set<string>> {
  const { stdout } = await fsck(run, true)
  const missing = [...stdout.toString('utf8').matchAll(/^missing blob ([0-9a-f]{40})$/gm)].map(([, oid = '']) => oid)
  // Of a ref's own object git does not say that it is missing.
  const kept = (await refsOf(run)).filter(({ type }) => type === 'blob').map(({ oid }) => oid)
  return new Set([...missing, ...kept])
}

async function writeAgain(run: RunGit, blobs: readonly Uint8Array[]): Promise<number> {
  for (const bytes of blobs) await run(['hash-object', '-w', '--no-filters', '--stdin'], { input: bytes })
  return blobs.length
}

/** As a first clone would: git must not believe that it has what its refs name. */
function fetchEverything(run: RunGit): Promise<GitResult> {
  const args = ['fetch', '--refetch', '--no-tags', '--no-recurse-submodules', '--no-auto-maintenance']
  return run([...args, '--no-write-fetch-head', 'hub', '+refs/heads/main:refs/countersign/hub'], {
    timeoutMs: FETCH_TIMEOUT_MS,
    accept: 'any',
  }).catch((error: unknown) => {
    if (error instanceof CountersignError) return { exitCode: -1, stdout: Buffer.alloc(0), stderr: error.message }
    throw error
  })
}

async function isWhole(run: RunGit): Promise<boolean> {
  return (await fsck(run, true)).exitCode === 0
}

function roomFinding(gitDir: string): Finding {
  const probe = join(gitDir, 'countersign-room')
  try {
    writeFileSync(probe, Buffer.alloc(ROOM_BYTES), { flush: true })
    return ok('disk', 'it can be written')
  } catch (error) {
    const found = messageOf(error)
    return failed('disk', found, 'Make room, or make the disk writable, then repair again; nothing was changed.')
  } finally {
    try {
      rmSync(probe, { force: true })
    } catch {} // Read-only: it was not written either.
  }
}

const HUB_HINT = 'The clone stays as it is and is repaired when the hub answers; nothing of the vault is touched.'

function hubSaid({ stderr }: GitResult): string {
  return `the hub could not be asked: ${withoutCredentials(stderr).trim().split('\n').at(-1)?.slice(0, 200) ?? ''}`
}

function swept(check: string, paths: readonly string[], gitDir: string, what: string): Finding {
  const names = paths.map((path) => path.replace(`${gitDir}/`, ''))
  return names.length === 0 ? ok(check, 'none amiss') : repaired(check, `${what}: ${named(names)}`)
}

function named(names: readonly string[]): string {
  const more = names.length - MAX_NAMED
  return [...names.slice(0, MAX_NAMED), ...(more > 0 ? [`… and ${more} more`] : [])].join(', ')
}

function ok(check: string, found: string): Finding {
  return { check, result: 'ok', found }
}

function repaired(check: string, found: string): Finding {
  return { check, result: 'repaired', found }
}

function failed(check: string, found: string, hint?: string): Finding {
  return { check, result: 'failed', found, ...(hint !== undefined && { hint }) }
}
