import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CountersignError } from '#core/errors.ts'
import { parseTaskFile, section, type TaskFile } from '#core/task-file.ts'
import { fileNameOf } from '#core/vault-path.ts'
import { verifyLedgers } from '../cli/audit.ts'
import { listTasks } from '../cli/tasks.ts'
import type { ZoneHome } from '../cli/zone-home.ts'
import type { World } from './world.ts'

/** Throws ERR_DEMO_FAILED with the problem when the condition does not hold. */
export function verify(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new CountersignError('ERR_DEMO_FAILED', problem)
}

/** The task a mail became, wherever it stands in that vault. */
export async function taskOfMail(home: ZoneHome, messageId: string) {
  const tasks = await listTasks(home, { withDone: true })
  return tasks.find(({ task }) => task?.front.source?.message_id === messageId)
}

/** A task file as it stands; undefined while it is absent or half edited. */
export async function readTask(path: string): Promise<TaskFile | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const parsed = parseTaskFile(text)
  return parsed.ok ? parsed.task : undefined
}

/** The task, once its approval card was rendered. */
export function presented(task: TaskFile | undefined): TaskFile | undefined {
  return task?.front.presented && section(task, 'card') !== undefined ? task : undefined
}

/** Path of a finished task below Done/. */
export async function doneFile(home: ZoneHome, file: string): Promise<string | undefined> {
  const tasks = await listTasks(home, { withDone: true })
  return tasks.find(({ path, place }) => place.kind === 'done' && fileNameOf(path) === file)?.path
}

/** The list, or undefined when it is empty: something to wait for. */
export function nonEmpty<T>(list: T[]): T[] | undefined {
  return list.length > 0 ? list : undefined
}

/** Whether a file holds these words. */
export async function mentions(file: string, words: string): Promise<boolean> {
  return (await readFile(file, 'utf8').catch(() => '')).includes(words)
}

/** Verifies the ledgers of both agents in each vault; throws ERR_DEMO_FAILED naming the first fault. */
export async function auditOf(homes: readonly ZoneHome[]): Promise<string> {
  const lines: string[] = []
  for (const home of homes) {
    const { ok, agents, faults } = await verifyLedgers(home)
    verify(ok, `${home.zone}: ${faults[0]?.agent} ${faults[0]?.problem}`)
    verify(
      agents.length === 2 && agents.every((one) => one.entries > 0 && one.checkpoints > 0),
      `${home.zone}: a ledger is empty`,
    )
    lines.push(agents.map((one) => `${one.agent} ${one.entries}`).join(', '))
  }
  return `entries: ${lines[0]}`
}

/**
 * Whether hub, cloud vault and local vault hold the same paths with the same bytes; the dashboard, which tells of private
 * tasks too, only the local vault.
 */
export async function agreement(world: World): Promise<string> {
  const hub = await hubBlobs(world.hub)
  for (const home of Object.values(world.homes)) {
    const vault = await vaultBlobs(world.hub, home.vault)
    if (home.zone === 'local') vault.delete('Dashboard.md')
    const different = [...new Set([...hub.keys(), ...vault.keys()])].find((path) => hub.get(path) !== vault.get(path))
    verify(different === undefined, `${different} differs between the hub and the ${home.zone} vault`)
  }
  return `${hub.size} files`
}

async function git(hub: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['--git-dir', hub, ...args], { maxBuffer: 16 * 1024 * 1024 })
  return stdout
}

/** Every path at the hub. */
export async function hubPaths(hub: string): Promise<string[]> {
  return (await git(hub, 'ls-tree', '-r', '--name-only', '-z', 'main')).split('\0').filter(Boolean)
}

/** What made the draft of a file at the hub, as the file says it. */
export async function draftedBy(hub: string, path: string): Promise<string | undefined> {
  const parsed = parseTaskFile(await git(hub, 'show', `main:${path}`))
  return parsed.ok ? parsed.task.front.drafted?.model : undefined
}

async function hubBlobs(hub: string): Promise<Map<string, string>> {
  const lines = (await git(hub, 'ls-tree', '-r', '-z', 'main')).split('\0').filter(Boolean)
  return new Map(lines.map((line) => [line.split('\t')[1] ?? '', line.split(/[ \t]/)[2] ?? '']))
}

async function vaultBlobs(hub: string, vault: string): Promise<Map<string, string>> {
  const entries = await readdir(vault, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name).slice(vault.length + 1))
  if (paths.length === 0) return new Map()
  const absolute = paths.map((path) => join(vault, path))
  const ids = (await git(hub, 'hash-object', '--no-filters', '--', ...absolute)).trim().split('\n')
  return new Map(paths.map((path, index) => [path, ids[index] ?? '']))
}

/** `<commit> <path>` of the first commit that added a path matching the pattern. */
export async function commitThatAdded(hub: string, pattern: string): Promise<string | undefined> {
  const found = await git(
    hub,
    'log',
    '--no-renames',
    '--diff-filter=A',
    '--format=%h',
    '--name-only',
    'main',
    '--',
    pattern,
  )
  const [commit, path] = found.split('\n').filter(Boolean)
  return commit && path ? `${path} (commit ${commit})` : undefined
}
