import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, globSync, mkdirSync, openSync, readFileSync, utimesSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import { blobIdOf } from '#core/blob-id.ts'
import { parseLedgerLine } from '#core/ledger.ts'
import type { RepoPort } from '#core/ports/repo.ts'
import { commitFiles, makeHub, makeZones, openClone, type Zones } from '#tests/support/git-zones.ts'
import { folderInMemory, maySmallDisk, type SmallDisk, smallDisk } from '#tests/support/small-disk.ts'
import { hasStrace } from '#tests/support/strace.ts'
import { type SyncProcess, syncProcess, until } from '#tests/support/sync-process.ts'

// The real service on disks that are full or read-only, and killed at fixed system calls of one round.
const LIMIT_MS = 60_000
/** A minute on a machine that has nothing else to do. */
const BUSY_MS = 300_000
const BIG = 'x'.repeat(30_000)
const hasMount = maySmallDisk()

let redis: StartedTestContainer
let zones: Zones
let hub: string
let local: SyncProcess
/** The other zone: a clone that pushes by hand. */
let cloud: RepoPort
let closing: DisposableStack

beforeAll(async () => {
  redis = await new GenericContainer('redis:8').withExposedPorts(6379).start()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  closing = new DisposableStack()
  zones = await makeZones(closing.use(folderInMemory()).dir)
})
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(local?.log.join(''))
  await local?.kill()
  await cloud?.[Symbol.asyncDispose]()
  closing.dispose()
})

const put = (path: string, text: string) => {
  writeFileSync(join(local.vault, path), text)
  written.add(text)
}
/** Writes over the beginning of a note: that needs no room. */
const overwrite = (path: string, text: string) => {
  const file = openSync(join(local.vault, path), 'r+')
  writeSync(file, text, 0)
  closeSync(file)
  written.add(local.read(path) ?? '')
}
const atHub = (files: Record<string, string>) =>
  until('a push of the other zone to land', async () => {
    await cloud.fetch()
    const expected = await cloud.head()
    const commit = await commitFiles(cloud, expected, files)
    for (const text of Object.values(files)) written.add(text)
    return (await cloud.push({ commit, expected })).kind === 'landed'
  })
const git = (...args: string[]) => execFileSync('git', ['--git-dir', hub, ...args], { encoding: 'utf8', stdio: 'pipe' })
const hubTree = () =>
  [...git('ls-tree', '-r', 'main').matchAll(/blob (\S+)\t(?!Logs\/)(.*)/g)].map(([, oid, path]) => `${path} ${oid}`)
const vaultTree = () => local.files().map((path) => `${path} ${blobIdOf(readFileSync(join(local.vault, path)))}`)

/** Everything that anybody wrote. */
const written = new Set<string>()
/** Vault and hub are the same, and whatever was written is in the hub's history: none of it cut, none gone. */
async function converged() {
  await until('vault and hub to agree', () => vaultTree().join('\n') === hubTree().join('\n'), LIMIT_MS)
  const kept = new Set(git('rev-list', '--objects', 'main').split(/\s/))
  expect(
    [...written].filter((text) => !kept.has(blobIdOf(Buffer.from(text)))).map((text) => text.slice(0, 40)),
  ).toEqual([])
  await until('no lock', () => globSync('**/*.lock', { cwd: join(local.state, 'repo.git') }).length === 0)
}
/** What `/readyz` says is wrong. */
const complaint = () =>
  until('a check to fail', async () => {
    const { checks } = await local.ready()
    return Object.values(checks).find(({ ok, detail }) => !ok && detail !== 'starting: ')?.detail
  })
/** As its container is: started again when it has given up. */
const revive = async () => {
  if (!(await local.ready().catch(() => undefined))) await local.start()
}
/** A zone that is at rest, with three notes. */
async function settledZone(prepare: (zone: SyncProcess) => unknown = () => {}) {
  written.clear()
  local = syncProcess(zones, 'local', hub, `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`)
  prepare(local)
  cloud = await openClone(zones, 'cloud', hub)
  await local.start()
  mkdirSync(join(local.vault, 'Plans'), { recursive: true })
  put('Plans/trip.md', `first ${BIG}`)
  put('Plans/both.md', 'both\n')
  put('Plans/other.md', 'other\n')
  await converged()
  await until('rest', () => local.status().state === 'ok')
}

// In continuous integration their absence would hide that nothing of this was tested.
it.runIf(process.env.CI)('this machine may mount and trace', () => {
  expect({ hasMount, hasStrace }, 'run as root, with strace and mkfs.ext4').toEqual({ hasMount: true, hasStrace: true })
})

describe.skipIf(!hasMount)('a full disk', () => {
  it('of the zone is named, keeps every note as it is, and lets sync go on when there is room', async () => {
    const disk = closing.use(smallDisk(zones.home('local')))
    hub = await makeHub(zones)
    await settledZone()
    const makeRoom = disk.fill()
    overwrite('Plans/trip.md', 'HERE ')
    overwrite('Plans/both.md', 'here')
    await atHub({ 'Plans/both.md': `there ${BIG}`, 'Plans/other.md': `there too ${BIG}`, 'Plans/new.md': BIG })
    expect(await complaint()).toMatch(/^failed: .*(ENOSPC|full|No space left)/)
    expect(local.log.join('')).toContain('Make room on the disk of the zone’s state folder')
    const notes = ['Plans/trip.md', 'Plans/both.md', 'Plans/other.md'].map((path) => local.read(path))
    expect(notes).toEqual([`HERE  ${BIG}`, 'here\n', 'other\n'])
    await local.kill()
    await local.start()
    expect(await complaint()).toMatch(/^ERR_STATE_WRITE_FAILED: .*(ENOSPC|full|No space left)/)
    makeRoom()
    await revive()
    await converged()
    const both = local.files().filter((path) => path.startsWith('Plans/both'))
    expect(both.map((path) => local.read(path)).sort()).toEqual(['here\n', `there ${BIG}`])
  })

  it('of the hub is named as the hub’s, and what waits is pushed when there is room', async () => {
    const disk = closing.use(smallDisk(join(zones.root, 'hub')))
    hub = await makeHub(zones, undefined, join(zones.root, 'hub', 'vault.git'))
    await settledZone()
    const makeRoom = disk.fill()
    put('Plans/trip.md', `second ${BIG}`)
    expect(await complaint()).toMatch(/^push refused by the hub: the hub's disk: /)
    expect(local.status().lastError).toMatchObject({ code: 'ERR_HUB_WRITE_FAILED' })
    makeRoom()
    await converged()
  })
})

it.skipIf(!hasMount)(
  'a ledger and a memory on a full disk say so, and hold whole entries when there is room',
  async () => {
    const [vaultRoot, stateDir] = [join(zones.root, 'small'), join(zones.root, 'state')]
    const disk = closing.use(smallDisk(vaultRoot))
    using ledger = openLedger({ vaultRoot, stateDir, agent: 'local', clock: { now: Date.now } })
    using store = openSyncStore(join(vaultRoot, 'sync.sqlite'))
    await ledger.append('conflict.kept', {})
    const makeRoom = disk.fill()
    const filling = async () => {
      for (;;) await ledger.append('conflict.kept', {})
    }
    await expect(filling()).rejects.toMatchObject({ code: 'ERR_VAULT_WRITE_FAILED' })
    const update = () => store.update({ facts: { big: BIG.repeat(10) } })
    expect(update).toThrow(/full/)
    makeRoom()
    update()
    await ledger.append('conflict.kept', {})
    const lines = globSync(`${vaultRoot}/Logs/local/*`).flatMap((file) => readFileSync(file, 'utf8').trim().split('\n'))
    expect(lines.every(parseLedgerLine)).toBe(true)
  },
)

it.skipIf(!hasMount)('a vault whose disk is full, then read-only, is named, and no note in it is cut', async () => {
  hub = await makeHub(zones)
  let disk!: SmallDisk
  await settledZone(({ vault }) => (disk = closing.use(smallDisk(vault))))
  const makeRoom = disk.fill()
  overwrite('Plans/trip.md', 'HERE ')
  await atHub({ 'Plans/other.md': `there ${BIG}` })
  expect(await complaint()).toMatch(/^failed: cannot write .* in the vault: .*ENOSPC/)
  expect(local.read('Plans/other.md')).toBe('other\n')
  makeRoom()
  await revive()
  await converged()
  disk.remount('ro')
  await atHub({ 'Plans/both.md': 'there\n', 'Plans/new.md': 'new\n' })
  expect(await complaint()).toMatch(/^failed: cannot write .* in the vault: .*EROFS/)
  disk.remount('rw')
  put('Plans/trip.md', 'here\n')
  await revive()
  await converged()
})

it.skipIf(!hasMount)(
  'a state whose disk becomes read-only is named, also at the start, and no note is given up for it',
  async () => {
    hub = await makeHub(zones)
    let disk!: SmallDisk
    await settledZone(({ state }) => (disk = closing.use(smallDisk(state))))
    // As the kernel does when the disk fails: files that are open for writing do not keep it from it.
    disk.remount('abort')
    put('Plans/both.md', 'here\n')
    await atHub({ 'Plans/both.md': 'there\n', 'Plans/new.md': 'new\n' })
    expect(await complaint()).toMatch(/^failed: (writing the zone's state|git fetch): /)
    await local.kill()
    await local.start()
    expect(await complaint()).toMatch(/^ERR_STATE_WRITE_FAILED: .*make it writable/)
    expect([local.read('Plans/both.md'), local.read('Plans/new.md')]).toEqual(['here\n', undefined])
    await local.kill()
    disk.reboot()
    await local.start()
    await converged()
  },
)

const LOCK = `VAULT/Plans/.tmp-lock-${createHash('sha256').update('other.md').digest('hex').slice(0, 16)}`
/** The calls of a round before which it is killed: the n-th of any of its processes, or of those on these paths. */
const KILLS: readonly (readonly [what: string, call: string, n: number, ...paths: string[]])[] = [
  ['a fetched pack is put in place', 'link', 1],
  ['the clone’s ref moves', 'rename', 1, 'STATE/repo.git/refs/countersign/hub.lock'],
  ['the memory is written', 'pwrite64', 12, 'STATE/sync.sqlite-wal'],
  ['the commit is put in place', 'rename', 4],
  ['the push is noted', 'fsync', 5, 'STATE/sync.sqlite-wal'],
  ['the hub’s ref moves', 'rename', 1, 'HUB/./refs/heads/main.lock', 'HUB/refs/heads/main.lock'],
  ['the hub answers', 'syncfs', 1],
  ['the landing is noted', 'fsync', 6, 'STATE/sync.sqlite-wal'],
  ['a note of the hub is about to replace ours', 'openat', 1, LOCK],
  ['it has replaced ours', 'unlink', 1, LOCK],
  ['what was applied is noted', 'fsync', 8, 'STATE/sync.sqlite-wal'],
]

describe.skipIf(!hasStrace)('a service that is killed', () => {
  it(
    'at any call of a round that pushes and applies converges at the next start',
    async () => {
      hub = await makeHub(zones)
      await settledZone()
      await local.stop()
      for (const [what, call, n, ...paths] of KILLS) {
        put('Plans/trip.md', `${what}\n`)
        put('Plans/both.md', `here: ${what}\n`)
        await atHub({ 'Plans/other.md': `other: ${what}\n`, 'Plans/both.md': `there: ${what}\n` })
        await killedAt(call, n, paths)
        for (const lock of globSync([`${hub}/**/*.lock`, `${local.vault}/**/.tmp-lock-*`])) makeOld(lock)
        await local.start()
        await converged().catch((cause) => {
          throw new Error(`killed when ${what}, by ${call} #${n} ${paths}`, { cause })
        })
        await local.kill()
      }
      const leftovers = () => globSync(`${local.vault}/**/.tmp-*`)
      expect(leftovers()).not.toEqual([])
      leftovers().forEach(makeOld)
      await local.start()
      await until('what was half-written to be swept', () => leftovers().length === 0)
    },
    BUSY_MS,
  )
})

/** Starts it under strace, which kills whichever of its processes makes this call, and kills the others at once. */
async function killedAt(call: string, n: number, paths: readonly string[]): Promise<void> {
  const places = { STATE: local.state, VAULT: local.vault, HUB: hub }
  const named = paths.map((path) => path.replace(/^[A-Z]+/, (name) => places[name as keyof typeof places]))
  const kill = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${n}`]
  local.log.length = 0
  // One thread for its files, so that the n-th call is the same one each time.
  await local.start(['strace', '-f', ...kill, ...named.flatMap((path) => ['-P', path]), '-E', 'UV_THREADPOOL_SIZE=1'])
  await until(`${call} #${n} ${paths}`, () => local.log.join('').includes('killed by SIGKILL'), LIMIT_MS)
  await local.kill()
}

/** As if it had been left long before the next start: locks wait for seconds, the sweep for an hour. */
function makeOld(file: string): void {
  const twoHoursAgo = Date.now() / 1000 - 7_200
  utimesSync(file, twoHoursAgo, twoHoursAgo)
}
