import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSeenMail } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import type { SeenMail } from '#core/ports/seen-mail.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { parseTaskFile, section } from '#core/task-file.ts'
import { taskPath, vaultPath } from '#core/vault-path.ts'
import { postScheduler, type ScheduleDeps } from './scheduled-posts.ts'

const GOALS = vaultPath('Business_Goals.md')
let root: string
let vault: VaultPort
let seen: SeenMail
let entries: unknown[]
let warned: string[]
let now: number

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'posts-'))
  vault = await openVault(root)
  seen = openSeenMail(join(root, 'triage.sqlite'))
  entries = []
  warned = []
  now = Date.parse('2026-11-29T10:00:00Z')
  await vault.create(
    GOALS,
    '## Posts\n- Time zone: Europe/Berlin\n- every Monday 09:00 LinkedIn and X: what <% we %> learnt this week, and what is next for us\n',
  )
})
afterEach(() => {
  seen[Symbol.dispose]()
  rmSync(root, { recursive: true })
})

const scheduler = (changes: Partial<ScheduleDeps> = {}) =>
  postScheduler({
    ...{ vault, seen },
    clock: { now: () => now },
    ledger: {
      append: async (type, entry) => {
        entries.push([type, entry?.data])
        return { seq: 1, at: '', agent: 'cloud', type, prev: '', hash: '' }
      },
    },
    log: { info() {}, warn: (_fields, message) => warned.push(message) },
    metrics: { count() {} },
    ...changes,
  })
const files = () =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => /POST_.*\.md$/.test(name))
    .sort()

test('a line whose time comes becomes a task for each network, with what a drafter needs', async () => {
  await scheduler()()
  expect(files()).toHaveLength(2)
  const texts = files().map((name) => readFileSync(join(root, name), 'utf8'))
  const tasks = texts.map((text) => {
    const parsed = parseTaskFile(text)
    if (!parsed.ok) throw new Error(parsed.problem)
    return parsed.task
  })
  expect(files()[0]).toMatch(/^Needs_Action\/social\/POST_2026-11-30_what-we-learnt-this-week/)
  expect(tasks.map(({ front }) => front.network).sort()).toEqual(['linkedin', 'x'])
  for (const task of tasks) {
    expect(task.front).toMatchObject({
      ...{ kind: 'POST', domain: 'social', generation: 0, language: 'en', source: { provider: 'calendar' } },
      not_before: '2026-11-30T08:00:00.000Z',
    })
    expect(section(task, 'original')).toContain('Topic: what ‹% we %› learnt')
    expect(section(task, 'original')).toContain('Not before: 2026-11-30 09:00 (Europe/Berlin)')
  }
  expect(texts.join()).not.toContain('<%')
  expect(entries).toEqual([
    ['task.created', { domain: 'social', from: 'calendar', network: 'linkedin' }],
    ['task.created', { domain: 'social', from: 'calendar', network: 'x' }],
  ])
})

test('is asked for once: in every look, after a restart, with a lost memory, and when two do it', async () => {
  const look = scheduler()
  await look()
  await look()
  const [first = ''] = files()
  const before = readFileSync(join(root, first), 'utf8')
  const name = first.split('/').at(-1) ?? ''
  const away = taskPath({ kind: 'in-progress', agent: 'cloud' }, name)
  await vault.move(taskPath({ kind: 'needs-action', domain: 'social' }, name), away)
  now += 3_600_000
  await scheduler({ seen: { has: () => false, add() {} } })()
  expect(files().filter((path) => path.endsWith(name))).toEqual([away])
  await vault.remove(away)
  await scheduler()()
  expect(files()).toHaveLength(1)
  await scheduler({ seen: { has: () => false, add() {} } })()
  expect(readFileSync(join(root, first), 'utf8')).toBe(before)
})

test.each(['find', 'create', 'append', 'add'] as const)('is asked for once when triage dies at %s', async (step) => {
  const dies = () => {
    throw new Error('dies here')
  }
  const doomed = scheduler({
    ...(step === 'find' && { vault: { ...vault, find: dies } }),
    ...(step === 'create' && { vault: { ...vault, create: dies } }),
    ...(step === 'append' && { ledger: { append: dies } }),
    ...(step === 'add' && { seen: { has: (key) => seen.has(key), add: dies } }),
  })
  await expect(doomed()).rejects.toThrow('dies here')
  await scheduler()()
  expect(files()).toHaveLength(2)
})

test('after days away only the newest is asked for', async () => {
  await vault.replace(GOALS, '## Posts\n- Time zone: Europe/Berlin\n- every day X: x\n')
  await scheduler()()
  now += 5 * 86_400_000
  await scheduler()()
  expect(files()).toHaveLength(2)
})

test('what cannot be read is told, and nothing is asked for', async () => {
  await vault.replace(GOALS, Buffer.from([0xff, 0x00]))
  await scheduler()()
  await vault.replace(GOALS, '## Posts\n- sometimes: x\n')
  const look = scheduler()
  await look()
  await look()
  expect(files()).toEqual([])
  expect(warned).toEqual([
    'no posts are planned: Business_Goals.md cannot be read',
    'lines of Business_Goals.md on posts are not understood; see countersign doctor',
  ])
})
