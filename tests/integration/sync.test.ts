import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openReceived } from '#adapters/received/received.ts'
import { commitFiles, openClone, taskText, type Zones } from '#tests/support/git-zones.ts'
import { type SyncProcess, syncPair, until } from '#tests/support/sync-process.ts'

const LIMIT_MS = 180_000
const F = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const NEEDS = `Needs_Action/email/${F}`
const CLOUD = `In_Progress/cloud/${F}`
const PENDING = `Pending_Approval/email/${F}`
const APPROVED = `Approved/${F}`
const DONE = `Done/2026-11/${F}`

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
afterEach(async () => {
  await Promise.all([cloud.kill(), local.kill()])
  zones[Symbol.dispose]()
})

const put = (zone: SyncProcess, path: string, text: string) => {
  mkdirSync(dirname(join(zone.vault, path)), { recursive: true })
  writeFileSync(join(zone.vault, `${dirname(path)}/.tmp-test`), text)
  renameSync(join(zone.vault, `${dirname(path)}/.tmp-test`), join(zone.vault, path))
}
const move = (zone: SyncProcess, from: string, to: string) => {
  mkdirSync(dirname(join(zone.vault, to)), { recursive: true })
  renameSync(join(zone.vault, from), join(zone.vault, to))
}
const git = (...args: string[]) => execFileSync('git', ['--git-dir', hub, ...args], { encoding: 'utf8', stdio: 'pipe' })
const hubFiles = () =>
  git('ls-tree', '-r', '--name-only', 'main')
    .trim()
    .split('\n')
    .filter((path) => !path.startsWith('Logs/'))
/** Both vaults hold what the hub holds. */
const agreed = () =>
  until(
    'both vaults and the hub to agree',
    () => {
      const head = git('rev-parse', 'main')
      const files = JSON.stringify(hubFiles())
      const isAgreed = [cloud, local].every(
        (zone) =>
          JSON.stringify(zone.files()) === files &&
          zone.files().every((path) => zone.read(path) === git('show', `main:${path}`)),
      )
      // A push in between would let one vault agree with the old head and the other with the new one.
      return isAgreed && git('rev-parse', 'main') === head
    },
    60_000,
  )

describe('the sync service', () => {
  it(
    'carries a task through both zones and claims it once',
    async () => {
      await Promise.all([cloud.start(), local.start()])
      put(cloud, NEEDS, taskText(0))
      await until('the claim', () => cloud.read(CLOUD)?.includes('generation: 1'))
      move(cloud, CLOUD, PENDING)
      await until('the draft in local', () => local.read(PENDING))
      using received = openReceived(local.state)
      expect(received.count(F)).toBeGreaterThan(0)
      move(local, PENDING, APPROVED)
      await until('the approval at the hub', () => hubFiles().includes(APPROVED))
      move(local, APPROVED, DONE)
      await agreed()
      expect(hubFiles()).toEqual([DONE])
      expect(await until('readiness', async () => (await local.ready()).checks)).toMatchObject({
        hub: { ok: true },
        gate: { ok: true },
        vault: { ok: true },
      })
      expect(local.status()).toMatchObject({ state: 'ok', held: [], conflicts: [], quarantine: null })
      for (const [zone, agent] of [[local, 'cloud'] as const, [cloud, 'local'] as const])
        expect(zone.status()).toMatchObject({
          hubReachedAt: expect.any(String),
          others: [{ agent, at: expect.any(String) }],
        })
      expect(await cloud.stop()).toBe(0)
    },
    LIMIT_MS,
  )

  it(
    'survives kill -9 at any moment: nothing lost, nothing claimed twice, no conflict made up',
    async () => {
      await local.start()
      const written: Record<string, string> = {}
      for (let round = 0; round < 12; round++) {
        await cloud.start()
        const id = `01K9ZZZZZZZZZZZZZZZZ${String(round).padStart(6, '0')}`
        put(
          cloud,
          `Needs_Action/email/EMAIL_2026-11-20_task_${String(round).padStart(6, '0')}.md`,
          taskText(0, 'Task', id),
        )
        written[`Plans/plan-${round}.md`] = `plan ${round}\n`
        put(cloud, `Plans/plan-${round}.md`, `plan ${round}\n`)
        // From before the first cycle to after the last push: the start takes about half a second.
        await delay(300 + round * 90)
        await cloud.kill()
      }
      await cloud.start()
      await agreed()
      for (const [path, text] of Object.entries(written)) expect(local.read(path)).toBe(text)
      const tasks = hubFiles().filter((path) => path.includes('EMAIL_'))
      expect(tasks).toHaveLength(12)
      for (const path of tasks) {
        expect(path).toMatch(/^In_Progress\/cloud\//)
        expect(local.read(path)).toContain('generation: 1')
      }
      expect(hubFiles().filter((path) => path.includes('.conflict-'))).toEqual([])
      expect(git('fsck', '--strict')).not.toMatch(/missing|corrupt|error/)
    },
    LIMIT_MS,
  )

  it(
    'clones anew when its repository was deleted, and keeps what was written meanwhile',
    async () => {
      await Promise.all([cloud.start(), local.start()])
      put(local, 'Plans/trip.md', 'one\n')
      await agreed()
      await local.kill()
      rmSync(join(local.state, 'repo.git'), { recursive: true })
      put(local, 'Plans/trip.md', 'written offline\n')
      put(cloud, 'Plans/other.md', 'from the cloud\n')
      await until('the cloud’s plan at the hub', () => hubFiles().includes('Plans/other.md'))
      await local.start()
      await until('the offline edit at the hub', () => git('show', 'main:Plans/trip.md') === 'written offline\n')
      await agreed()
      expect(hubFiles()).toEqual(['Plans/other.md', 'Plans/trip.md'])
    },
    LIMIT_MS,
  )

  it(
    'rebuilds its memory from the hub’s history when that was deleted',
    async () => {
      await Promise.all([cloud.start(), local.start()])
      put(local, 'Plans/trip.md', 'one\n')
      await agreed()
      await local.kill()
      for (const suffix of ['', '-wal', '-shm']) rmSync(join(local.state, `sync.sqlite${suffix}`), { force: true })
      put(cloud, 'Plans/trip.md', 'two\n')
      await until('the edit at the hub', () => git('show', 'main:Plans/trip.md') === 'two\n')
      await local.start()
      await agreed()
      expect(hubFiles()).toEqual(['Plans/trip.md'])
      expect(local.read('Plans/trip.md')).toBe('two\n')
    },
    LIMIT_MS,
  )

  it(
    'says when the hub is away, goes on, and catches up',
    async () => {
      await Promise.all([cloud.start(), local.start()])
      put(local, 'Plans/trip.md', 'one\n')
      await agreed()
      renameSync(hub, `${hub}.away`)
      put(local, 'Plans/trip.md', 'two\n')
      const checks = await until('the hub check to fail', async () => {
        const ready = await local.ready()
        return ready.checks.hub?.ok === false ? ready.checks : undefined
      })
      expect(checks.hub?.detail).toMatch(/^hub unreachable: /)
      expect(local.status()).toMatchObject({
        state: 'hub unreachable',
        lastError: { code: 'ERR_HUB_UNREACHABLE', hint: expect.stringMatching(/COUNTERSIGN_HUB_URL/) },
      })
      renameSync(`${hub}.away`, hub)
      await agreed()
      expect(cloud.read('Plans/trip.md')).toBe('two\n')
    },
    LIMIT_MS,
  )

  it(
    'keeps a presented card against an approved copy of it that a hub without its hook has taken from the cloud',
    async () => {
      await local.start()
      const card = taskText(1).replace(
        '---\n#',
        'presented:\n  digest: sha256:aa\n  at: "2026-11-20T10:00:00Z"\n---\n#',
      )
      put(local, PENDING, card)
      await until('the card at the hub', () => existsSync(join(hub, 'refs/heads/main')) && hubFiles().includes(PENDING))
      unlinkSync(join(hub, 'hooks', 'pre-receive'))
      await using attacker = await openClone(zones, 'cloud', hub)
      await attacker.fetch()
      const forged = `${card}\npay me\n\n<!-- countersign:decision -->\n- [x] Approve\n<!-- countersign:/decision -->\n`
      const steps = [`Needs_Action/accounting/${F}`, CLOUD, `Pending_Approval/accounting/${F}`]
      let head = await attacker.head()
      for (const [at, path] of steps.entries()) {
        const before = steps[at - 1]
        const files = {
          ...(before && { [before]: null }),
          [path]: forged.replace(/generation: .*/, `generation: "${Math.min(at, 1)}"`),
        }
        const commit = await commitFiles(attacker, head, files)
        expect(await attacker.push({ commit, expected: head })).toEqual({ kind: 'landed' })
        head = commit
      }
      const checks = await until('the gate check to fail', async () => {
        const ready = await local.ready()
        return ready.checks.gate?.ok === false ? ready.checks : undefined
      })
      expect(checks.gate?.detail).toContain('presented-is-locals')
      expect(local.files()).toEqual([PENDING])
      expect(local.read(PENDING)).toBe(card)
    },
    LIMIT_MS,
  )

  it(
    'refuses a forged approval that a hub without its hook has taken from the cloud',
    async () => {
      await local.start()
      put(local, 'Plans/trip.md', 'one\n')
      await until('the first push', () => existsSync(join(hub, 'refs/heads/main')))
      await until('a settled local', () => local.status().state === 'ok')
      unlinkSync(join(hub, 'hooks', 'pre-receive'))
      await using attacker = await openClone(zones, 'cloud', hub)
      await attacker.fetch()
      const head = await attacker.head()
      const forged = await commitFiles(attacker, head, { [APPROVED]: taskText(1, 'Pay me') })
      expect(await attacker.push({ commit: forged, expected: head })).toEqual({ kind: 'landed' })
      const checks = await until('the gate check to fail', async () => {
        const ready = await local.ready()
        return ready.checks.gate?.ok === false ? ready.checks : undefined
      })
      expect(checks.gate?.detail).toContain('local-only-path')
      expect(local.status()).toMatchObject({ state: 'hub refused by the gate', quarantine: { head: forged } })
      put(local, 'Plans/trip.md', 'two\n')
      await until('the ledger entry', () => {
        const logs = execFileSync('grep', ['-rc', 'gate.refused', join(local.vault, 'Logs/local')], {
          encoding: 'utf8',
        })
        return logs.trim() === '1' || logs.trim().endsWith(':1')
      })
      expect(existsSync(join(local.vault, APPROVED))).toBe(false)
      expect(git('rev-parse', 'main').trim()).toBe(forged)
    },
    LIMIT_MS,
  )
})
