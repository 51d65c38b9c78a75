import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Finding } from '#core/finding.ts'
import { commitFiles, makeHub, openClone, type Zones } from '#tests/support/git-zones.ts'
import { type SyncProcess, syncPair, until } from '#tests/support/sync-process.ts'

const LIMIT_MS = 300_000
const TRIP = 'Plans/trip.md'

let redis: StartedTestContainer
let zones: Zones
let hub: string
let cloud: SyncProcess
let local: SyncProcess

beforeAll(async () => {
  redis = await new GenericContainer('redis:8').withExposedPorts(6379).start()
}, LIMIT_MS)
afterAll(() => redis.stop())
beforeEach(async () => {
  ;({ zones, hub, cloud, local } = await syncPair(redis))
})
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(cloud.log.join(''), local.log.join(''))
  await Promise.all([cloud.kill(), local.kill()])
  zones[Symbol.dispose]()
})

const put = (zone: SyncProcess, path: string, text: string) => {
  mkdirSync(dirname(join(zone.vault, path)), { recursive: true })
  writeFileSync(join(zone.vault, path), text)
}
const git = (dir: string, ...args: string[]) =>
  execFileSync('git', ['--git-dir', dir, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim()
const atHub = (path: string) => git(hub, 'show', `main:${path}`)
const hubHas = (path: string, text: string) =>
  until(`${path} at the hub`, () => existsSync(join(hub, 'refs/heads/main')) && `${atHub(path)}\n` === text, 60_000)
const vaultHas = (zone: SyncProcess, path: string, text: string) =>
  until(`${path} in a vault`, () => zone.read(path) === text, 60_000)
const findingsOf = ({ answer }: { answer: Record<string, unknown> }) => answer.findings as Finding[]
const resultOf = (findings: readonly Finding[], check: string) => findings.find((one) => one.check === check)?.result
/** One object of the clone, or every one: what it was, half of it. */
const halveObjects = (zone: SyncProcess, oid?: string) => {
  const objects = join(zone.state, 'repo.git', 'objects')
  const files = readdirSync(objects, { recursive: true, withFileTypes: true }).filter(
    (one) => one.isFile() && (oid === undefined || one.name === oid.slice(2)),
  )
  for (const file of files) {
    const path = join(file.parentPath, file.name)
    execFileSync('chmod', ['u+w', path])
    truncateSync(path, 10)
  }
  return files.length
}

describe('a zone whose sync was damaged', () => {
  it(
    'mends its clone by itself while it runs, and the edit made meanwhile arrives',
    async () => {
      await local.start()
      put(local, TRIP, 'one\n')
      await hubHas(TRIP, 'one\n')
      await until('rest', () => local.status().state === 'ok')
      expect(halveObjects(local)).toBeGreaterThan(3)
      put(local, TRIP, 'two\n')
      await hubHas(TRIP, 'two\n')
      expect(local.log.join('')).toMatch(/"check":"objects".*"outcome":"repaired"/)
      expect(await local.stop()).toBe(0)
    },
    LIMIT_MS,
  )

  it(
    'is repaired by the command while sync is stopped, line by line, and converges at the next start',
    async () => {
      await local.start()
      put(local, TRIP, 'one\n')
      await hubHas(TRIP, 'one\n')
      await local.stop()
      halveObjects(local)
      writeFileSync(join(local.state, 'sync.sqlite'), 'no database '.repeat(500))
      writeFileSync(join(local.state, 'repo.git', 'HEAD.lock'), '')
      put(local, TRIP, 'written offline\n')
      const repaired = await local.countersign('sync', '--repair')
      expect(repaired.code).toBe(0)
      for (const check of ['locks', 'objects', 'sync.sqlite'])
        expect([check, resultOf(findingsOf(repaired), check)]).toEqual([check, 'repaired'])
      const again = await local.countersign('sync', '--repair')
      expect(findingsOf(again).filter(({ result }) => result !== 'ok')).toEqual([])
      await local.start()
      await hubHas(TRIP, 'written offline\n')
      // Without its memory it cannot tell whose edit came first: what the hub had is kept beside it, and nothing else.
      const copies = () => local.files().filter((path) => path !== TRIP)
      await until('both versions', () => copies().length > 0)
      expect(local.files()).toEqual([expect.stringMatching(/^Plans\/trip\.conflict-local-/), TRIP])
      expect(local.read(copies()[0] ?? '')).toBe('one\n')
    },
    LIMIT_MS,
  )

  it(
    'is repaired and checked by the command while sync runs, which does it between two rounds',
    async () => {
      await local.start()
      for (const text of ['none\n', 'one\n']) {
        put(local, TRIP, text)
        await hubHas(TRIP, text)
      }
      const verified = await local.countersign('sync', '--verify')
      expect(findingsOf(verified).filter(({ result }) => result !== 'ok')).toEqual([])
      expect(verified.code).toBe(0)
      // What no round reads any more, or sync would mend it before the person asks.
      expect(halveObjects(local, git(hub, 'rev-parse', 'main~1:Plans/trip.md'))).toBe(1)
      const found = await local.countersign('sync', '--verify')
      expect(found.code).toBe(1)
      expect(resultOf(findingsOf(found), 'objects')).toBe('failed')
      await until('the status to tell', () => JSON.stringify(local.status().check).includes('objects'))
      const repaired = await local.countersign('sync', '--repair')
      expect(resultOf(findingsOf(repaired), 'objects')).toBe('repaired')
      expect((await local.countersign('sync', '--verify')).code).toBe(0)
      put(local, TRIP, 'two\n')
      await hubHas(TRIP, 'two\n')
    },
    LIMIT_MS,
  )
})

describe('a hub that lost history', () => {
  it(
    'that is restored from yesterday’s backup, or made anew, gets it back while both zones run',
    async () => {
      await Promise.all([cloud.start(), local.start()])
      put(local, TRIP, 'yesterday\n')
      await vaultHas(cloud, TRIP, 'yesterday\n')
      cpSync(hub, `${hub}.backup`, { recursive: true })
      put(cloud, TRIP, 'today\n')
      await vaultHas(local, TRIP, 'today\n')
      const head = git(hub, 'rev-parse', 'main')
      // Moved, not removed file by file: half a hub would be another loss.
      renameSync(hub, `${hub}.lost`)
      renameSync(`${hub}.backup`, hub)
      await until('the history at the hub', () => git(hub, 'merge-base', '--is-ancestor', head, 'main') === '', 90_000)
      await until('the status to tell', () => [cloud, local].some((zone) => zone.status().hubRestored !== null))
      renameSync(hub, `${hub}.lost-too`)
      expect(await makeHub(zones, undefined, hub)).toBe(hub)
      await until('the history at the new hub', () => git(hub, 'cat-file', '-t', head) === 'commit', 90_000)
      put(local, TRIP, 'tomorrow\n')
      await vaultHas(cloud, TRIP, 'tomorrow\n')
    },
    LIMIT_MS,
  )

  it(
    'and went on without us is refused, and taken over on the person’s word with nothing lost',
    async () => {
      await local.start()
      put(local, TRIP, 'yesterday\n')
      await hubHas(TRIP, 'yesterday\n')
      const backup = git(hub, 'rev-parse', 'main')
      put(local, TRIP, 'today\n')
      await hubHas(TRIP, 'today\n')
      await local.stop()
      git(hub, 'update-ref', 'refs/heads/main', backup)
      await using stranger = await openClone(zones, 'cloud', hub)
      await stranger.fetch()
      const parent = await stranger.head()
      const commit = await commitFiles(stranger, parent, { 'Plans/other.md': 'other\n', [TRIP]: 'elsewhere\n' })
      expect(await stranger.push({ commit, expected: parent })).toEqual({ kind: 'landed' })
      await local.start()
      await until('the refusal', () => local.status().state === 'hub refused by the gate')
      expect(local.read(TRIP)).toBe('today\n')
      const repaired = await local.countersign('sync', '--repair')
      expect(repaired.answer).toMatchObject({ ok: true })
      await until('a settled zone', () => local.status().state === 'ok')
      await vaultHas(local, 'Plans/other.md', 'other\n')
      const trips = local.files().filter((path) => path.startsWith('Plans/trip'))
      expect(trips.map((path) => local.read(path)).sort()).toEqual(['elsewhere\n', 'today\n'])
    },
    LIMIT_MS,
  )
})
