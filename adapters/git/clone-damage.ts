import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { inflateSync } from 'node:zlib'
import type { GitResult, RunGit } from './run-git.ts'

/** What git leaves behind when it is killed while objects arrive; it removes such files after two weeks at the earliest. */
const LEFTOVER_IN_OBJECTS = /^tmp_objdir-/
const LEFTOVER_IN_PACKS = /^(tmp_|\.tmp-)|\.keep$/
const LEFTOVER_LOOSE = /^(tmp_obj_|\.tmp-)/
const FAN_OUT = /^[0-9a-f]{2}$/
const FSCK_TIMEOUT_MS = 600_000
const MAX_LINES = 50
const REF_TEXT = /^[0-9a-f]{40}\n?$/

/** Removes half-received objects. Only for a caller that holds the clone's lock. Gives their names. */
export function removeLeftovers(gitDir: string): string[] {
  const objects = join(gitDir, 'objects')
  const found = [
    ...namesIn(objects, LEFTOVER_IN_OBJECTS),
    ...namesIn(join(objects, 'pack'), LEFTOVER_IN_PACKS),
    ...namesIn(objects, FAN_OUT).flatMap((folder) => namesIn(folder, LEFTOVER_LOOSE)),
  ]
  for (const path of found) rmSync(path, { recursive: true, force: true })
  return found.map((path) => relative(gitDir, path))
}

/** Packs that lack their index or do not verify, and indexes without their pack. */
export async function damagedPacks(run: RunGit, gitDir: string): Promise<string[]> {
  const folder = join(gitDir, 'objects', 'pack')
  const damaged: string[] = []
  for (const path of namesIn(folder, /^pack-.*\.(pack|idx)$/)) {
    const twin = path.endsWith('.pack') ? path.replace(/pack$/, 'idx') : path.replace(/idx$/, 'pack')
    const isWhole = existsSync(twin) && (path.endsWith('.pack') || (await verifies(run, path)))
    if (!isWhole) damaged.push(...namesIn(folder, new RegExp(`^${basename(path).replace(/\..*$/, '')}\\.`)))
  }
  return [...new Set(damaged)]
}

/** Loose objects whose bytes are not what their name says. */
export function damagedLooseObjects(gitDir: string): string[] {
  return namesIn(join(gitDir, 'objects'), FAN_OUT)
    .flatMap((folder) => namesIn(folder, /^[0-9a-f]{38}$/))
    .filter((path) => !isSound(path))
}

/** Refs of ours that name no object id: a power cut leaves them empty. */
export function damagedRefs(gitDir: string): string[] {
  const refs = join(gitDir, 'refs')
  if (!existsSync(refs)) return []
  return readdirSync(refs, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !REF_TEXT.test(readFileSync(path, 'latin1')))
}

/** Moves files of the git directory into `aside`, where they can be looked at; gives their names. */
export function setAside(gitDir: string, paths: readonly string[], aside: string): string[] {
  return paths.map((path) => {
    const name = relative(gitDir, path)
    mkdirSync(aside, { recursive: true, mode: 0o700 })
    renameSync(path, join(aside, name.replaceAll('/', '-')))
    return name
  })
}

/** git's own check of everything that the refs lead to. */
export async function checkObjects(run: RunGit, readAll: boolean): Promise<string[]> {
  const { exitCode, stdout, stderr } = await fsck(run, readAll)
  if (exitCode === 0) return []
  const lines = `${stdout.toString('utf8')}\n${stderr}`
    .split('\n')
    .filter((line) => /^(error|fatal|missing|broken)/.test(line))
  return lines.length > 0 ? lines.slice(0, MAX_LINES) : [`git fsck ended with ${exitCode}`]
}

export function fsck(run: RunGit, readAll: boolean): Promise<GitResult> {
  const how = readAll ? '--full' : '--connectivity-only'
  return run(['fsck', how, '--no-dangling', '--no-progress'], { timeoutMs: FSCK_TIMEOUT_MS, accept: 'any' })
}

async function verifies(run: RunGit, idx: string): Promise<boolean> {
  return (await run(['verify-pack', idx], { accept: 'any', timeoutMs: 600_000 })).exitCode === 0
}

function isSound(path: string): boolean {
  const oid = path.slice(-41).replace('/', '')
  try {
    return (
      createHash('sha1')
        .update(inflateSync(readFileSync(path)))
        .digest('hex') === oid
    )
  } catch {
    return false
  }
}

function namesIn(folder: string, pattern: RegExp): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return []
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name))
}
