import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { RepoPort } from '#core/ports/repo.ts'
import { commitFiles, makeHub, makeZones, openClone, type Zones } from '#tests/support/git-zones.ts'
import { makePlainHub, PLAIN_ENV, type PlainClone, type PlainHub } from '#tests/support/plain-git.ts'
import { hasStrace } from '#tests/support/strace.ts'
import { makeSyncWorld, type SyncWorld, type SyncZone, taskText } from '#tests/support/sync-world.ts'

// What git does by itself, measured, and what the engine does with the same files on the same git. Each control says
// why the engine does not leave the work to git; where a newer git does better, the control says so by failing.
const F = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const NEEDS = `Needs_Action/email/${F}`
const NOTE = 'Updates/cloud/01K9ZZZZZZZZZZZZZZZZ7H3K9Q.md'

let zones: Zones
beforeAll(async () => {
  zones = await makeZones(undefined, [
    ['cloud', 'cloud'],
    ['local', 'local'],
    ['cloud-b', 'cloud'],
  ])
})
afterAll(() => zones[Symbol.dispose]())

let plain: PlainHub
const closing = new AsyncDisposableStack()
afterEach(() => plain?.[Symbol.dispose]())
afterAll(() => closing.disposeAsync())

/** A hub with open tasks, and two clones that have them. */
function plainPair(...tasks: string[]): [PlainClone, PlainClone] {
  plain = makePlainHub()
  const first = plain.clone('cloud')
  for (const task of tasks) first.write(task, taskText())
  first.commitAll('tasks')
  first.git('push', 'origin', 'HEAD:main')
  return [first, plain.clone('cloud-b')]
}

/** The usual loop of the tools that synchronise notes. */
const commitPullPush = (clone: PlainClone, ...settings: string[]) => {
  clone.commitAll('claim')
  const pulled = clone.git(...settings.flatMap((one) => ['-c', one]), 'pull', '-q', '--rebase', 'origin', 'main')
  return { pulled, pushed: clone.git('push', '-q', 'origin', 'HEAD:main') }
}
const claimByHand = (clone: PlainClone, agent: string, text = `claimed by ${agent}\n`) => {
  clone.move(NEEDS, `In_Progress/${agent}/${F}`)
  clone.write(`In_Progress/${agent}/${F}`, text)
}
const ownersAt = (paths: readonly string[]) => paths.filter((path) => path.startsWith('In_Progress/')).sort()

/** The engine of each agent on a clone of its own, with files in memory. */
async function engines(hub: string, nonce?: () => string): Promise<SyncWorld> {
  const repos = new Map<string, RepoPort>()
  for (const agent of ['cloud', 'local', 'cloud-b']) repos.set(agent, closing.use(await openClone(zones, agent, hub)))
  return makeSyncWorld({
    moreAgents: [['cloud-b', 'cloud']],
    between: ({ agent }, ports) => ({ ...ports, repo: repos.get(agent) as RepoPort, ...(nonce && { nonce }) }),
  })
}
const zoneOf = (world: SyncWorld, agent: string) => world.zones.find((one) => one.agent === agent) as SyncZone
const pathsAt = async ({ deps }: SyncZone) => {
  const { repo } = deps()
  await repo.fetch()
  return [...(await repo.treeOf(await repo.head())).keys()].filter((path) => !path.startsWith('Logs/')).sort()
}

describe('two agents claim one task at the same time', () => {
  it('and git’s pull --rebase gives it to both, without a word', () => {
    const [cloud, other] = plainPair(NEEDS)
    claimByHand(cloud, 'cloud')
    claimByHand(other, 'cloud-b')
    expect(commitPullPush(cloud).pushed.exitCode).toBe(0)
    const { pulled, pushed } = commitPullPush(other)
    expect([pulled.exitCode, pushed.exitCode]).toEqual([0, 0])
    expect(ownersAt(plain.paths())).toEqual([`In_Progress/cloud-b/${F}`, `In_Progress/cloud/${F}`])
  })

  it.each([['merge.renames=true'], ['merge.renames=false', 'diff.renames=false'], ['merge.directoryRenames=false']])(
    'and no setting of git makes it one owner: %s',
    (...settings) => {
      for (const text of [taskText(), 'rewritten\n']) {
        const [cloud, other] = plainPair(NEEDS)
        claimByHand(cloud, 'cloud', text)
        claimByHand(other, 'cloud-b', text)
        commitPullPush(cloud)
        const { pulled } = commitPullPush(other, ...settings)
        // Either git stops and a person has to come, or both have it.
        if (pulled.exitCode === 0) expect(ownersAt(plain.paths())).toHaveLength(2)
        plain[Symbol.dispose]()
      }
    },
  )

  it('and the engine gives it to one', async () => {
    const world = await engines(await makeHub(zones))
    const [cloud, other] = [zoneOf(world, 'cloud'), zoneOf(world, 'cloud-b')]
    world.local.files.put(NEEDS, taskText())
    await world.local.sync()
    await Promise.all([cloud.sync(), other.sync()])
    await Promise.all([cloud.sync(), other.sync()])
    const told = [cloud, other].filter(({ rung }) => rung.length > 0).map(({ agent }) => agent)
    expect(told).toHaveLength(1)
    expect(await pathsAt(cloud)).toEqual([`In_Progress/${told[0]}/${F}`])
    expect([...cloud.rung, ...other.rung]).toEqual([expect.objectContaining({ generation: 1 })])
  })

  it('and git calls both pushes a success when the commits are the same', () => {
    const [cloud, other] = plainPair(NEEDS)
    for (const clone of [cloud, other]) {
      clone.git('config', 'user.name', 'cloud')
      clone.git('config', 'user.email', 'cloud@x')
      claimByHand(clone, 'cloud')
      clone.commitAll('claim')
    }
    expect(cloud.git('rev-parse', 'HEAD')).toEqual(other.git('rev-parse', 'HEAD'))
    for (const clone of [cloud, other]) expect(clone.git('push', 'origin', 'HEAD:main').exitCode).toBe(0)
  })

  it.each([
    ['a nonce in each claim tells one', undefined, 1],
    ['without it both would be told', () => 'no nonce', 2],
  ])('of two processes under one name, in one second: %s', async (_what, nonce, told) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-20T10:00:00Z') })
    try {
      const hub = await makeHub(zones)
      const filed = await engines(hub)
      filed.local.files.put(NEEDS, taskText())
      await filed.local.sync()
      let serial = 0
      const twins = [
        await engines(hub, nonce ?? (() => `${++serial}`)),
        await engines(hub, nonce ?? (() => `${++serial}`)),
      ]
      // Both have seen the same hub before either pushes.
      await Promise.all(twins.map(({ cloud }) => cloud.sync()))
      await Promise.all(twins.map(({ cloud }) => cloud.sync()))
      expect(twins.filter(({ cloud }) => cloud.rung.length > 0)).toHaveLength(told)
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('one agent claims all of a folder while another adds to it', () => {
  const [one, two, late] = ['aaaaaa', 'bbbbbb', 'cccccc'].map((end) => `EMAIL_2026-11-20_task_${end}.md`)

  it('and git’s directory renames give the new task away', () => {
    const [cloud, other] = plainPair(`Needs_Action/email/${one}`, `Needs_Action/email/${two}`)
    for (const name of [one, two]) cloud.move(`Needs_Action/email/${name}`, `In_Progress/cloud/${name}`)
    commitPullPush(cloud)
    other.write(`Needs_Action/email/${late}`, taskText())
    expect(commitPullPush(other, 'merge.directoryRenames=true').pushed.exitCode).toBe(0)
    expect(ownersAt(plain.paths())).toContain(`In_Progress/cloud/${late}`)
  })

  it('and the engine leaves it where it was put', async () => {
    const world = await engines(await makeHub(zones))
    const [cloud, { local }] = [zoneOf(world, 'cloud'), world]
    const [first, second, third] = ['A1', 'B2', 'C3'].map((end) => `01K9ZZZZZZZZZZZZZZZZ7H3K${end}`)
    local.files.put(`Needs_Action/email/${one}`, taskText({ id: first ?? '' }))
    local.files.put(`Needs_Action/email/${two}`, taskText({ id: second ?? '' }))
    await local.sync()
    await cloud.sync()
    local.files.put(`Needs_Action/email/${late}`, taskText({ id: third ?? '' }))
    await local.sync()
    const folder = [`In_Progress/cloud/${one}`, `In_Progress/cloud/${two}`]
    expect(await pathsAt(local)).toEqual([...folder, `Needs_Action/email/${late}`])
    await cloud.sync()
    expect(await pathsAt(local)).toEqual([...folder, `In_Progress/cloud/${late}`].sort())
  })
})

it('the engine runs none of git’s commands that merge, or that write an index or a work tree', () => {
  const calls = globSync('adapters/git/*.ts', { exclude: (name) => name.endsWith('.test.ts') }).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\brun\w*\(\s*(?:run,\s*)?\[\s*'([a-z-]+)'/g)].map(
      ([, command]) => command,
    ),
  )
  expect(calls.length).toBeGreaterThan(5)
  for (const command of ['merge', 'rebase', 'pull', 'checkout', 'add', 'commit', 'reset', 'stash', 'merge-tree'])
    expect(calls).not.toContain(command)
})

// Continuous integration installs it; there its absence would hide that nothing of this was tested.
it.runIf(process.env.CI)('strace is on this machine and may trace', () => {
  expect(hasStrace, 'no strace was found that may trace: install strace').toBe(true)
})

describe('an acknowledged push', () => {
  it('is told only when the hub’s hook has put it on the disk', async () => {
    const hub = await makeHub(zones)
    await using clone = await openClone(zones, 'cloud', hub)
    const hook = join(hub, 'hooks', 'reference-transaction')
    const [held, reached] = [join(hub, 'held'), join(hub, 'reached')]
    spawnSync('mkfifo', [held])
    // The hook as it is, kept from ending.
    writeFileSync(hook, `${readFileSync(hook, 'utf8')}touch '${reached}'; cat '${held}'\n`)
    const commit = await commitFiles(clone, null, { [NOTE]: 'x\n' })
    let isTold = false
    const pushing = clone.push({ commit, expected: null }).finally(() => {
      isTold = true
    })
    await vi.waitFor(() => expect(existsSync(reached)).toBe(true), { timeout: 60_000 })
    expect(readFileSync(hook, 'utf8')).toMatch(/sync -f "\$PWD"/)
    expect(isTold).toBe(false)
    writeFileSync(held, '')
    expect(await pushing).toEqual({ kind: 'landed' })
  })

  it.skipIf(!hasStrace)('is on the disk before it is told, which git’s own is not', async () => {
    const [clone] = plainPair(NEEDS)
    clone.write(NOTE, 'x\n')
    clone.commitAll('note')
    expect(tracedPush(join(clone.dir, '.git'), plain.dir, 'HEAD')).toEqual(['renamed', 'told'])

    const [hub, gitDir] = [await makeHub(zones), join(mkdtempSync(join(zones.root, 'traced-')), 'repo.git')]
    await using signer = await openClone(zones, 'cloud', hub, { gitDir })
    const commit = await commitFiles(signer, null, { [NOTE]: 'x\n' })
    const ours = tracedPush(gitDir, hub, commit)
    expect(ours.slice(0, ours.indexOf('renamed'))).toContain('file synced')
    expect(ours.slice(ours.indexOf('renamed'))).toEqual(['renamed', 'file system synced', 'told'])
  })
})

describe.skipIf(!hasStrace)('a git that is killed as it renames a file into place', () => {
  it('leaves an index that no later git can write, and the engine has none', async () => {
    const [clone] = plainPair(NEEDS)
    clone.write(NOTE, 'x\n')
    killedAtRename(clone.dir, '.git/index.lock', 'add', '-A')
    expect(clone.git('add', '-A')).toMatchObject({ exitCode: 128, output: expect.stringContaining('index.lock') })
  })

  it('leaves a ref in the clone that no later git can write, until the engine opens it again', async () => {
    const hub = await makeHub(zones)
    const gitDir = join(mkdtempSync(join(zones.root, 'killed-')), 'repo.git')
    await using other = await openClone(zones, 'cloud', hub)
    const commit = await commitFiles(other, null, { [NOTE]: 'x\n' })
    expect(await other.push({ commit, expected: null })).toEqual({ kind: 'landed' })
    await (await openClone(zones, 'cloud', hub, { gitDir }))[Symbol.asyncDispose]()
    const fetch = ['fetch', hub, '+refs/heads/main:refs/countersign/hub']
    killedAtRename(gitDir, 'refs/countersign/hub.lock', ...fetch)
    const again = spawnSync('git', fetch, { cwd: gitDir, env: PLAIN_ENV, encoding: 'utf8' })
    expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining('cannot lock ref') })
    await using second = await openClone(zones, 'cloud', hub, { gitDir })
    expect(await second.fetch()).toEqual({ kind: 'ok', head: commit })
  })

  it('leaves a hub that takes no push any more, and ours takes them again once the lock is old', async () => {
    const hub = await makeHub(zones)
    const gitDir = join(mkdtempSync(join(zones.root, 'pusher-')), 'repo.git')
    await using clone = await openClone(zones, 'cloud', hub, { gitDir })
    const commit = await commitFiles(clone, null, { [NOTE]: 'x\n' })
    killedAtRename(hub, 'refs/heads/main.lock', '--git-dir', gitDir, 'push', hub, `${commit}:refs/heads/main`)
    expect(await clone.push({ commit, expected: null })).toMatchObject({ kind: 'rejected' })
    const anHourAgo = Date.now() / 1000 - 3_600
    for (const lock of globSync('**/*.lock', { cwd: hub })) utimesSync(join(hub, lock), anHourAgo, anHourAgo)
    expect(await clone.push({ commit, expected: null })).toEqual({ kind: 'landed' })
  })
})

const tracer = ['-f', '-s', '200', '-e', 'trace=rename,syncfs,fsync,fdatasync,write']

/** What a push does at the hub, in order, up to the moment at which the client is told. */
function tracedPush(gitDir: string, hub: string, commit: string): string[] {
  const args = [...tracer, 'git', 'push', hub, `${commit}:refs/heads/main`]
  const { stderr } = spawnSync('strace', args, { cwd: gitDir, env: PLAIN_ENV, encoding: 'utf8' })
  const events = stderr.split('\n').flatMap((line) => {
    if (/rename\(.*main\.lock/.test(line)) return ['renamed']
    if (/\bsyncfs\(/.test(line)) return ['file system synced']
    if (/\b(fsync|fdatasync)\(/.test(line)) return ['file synced']
    return /write\(.*ok refs\/heads\/main/.test(line) ? ['told'] : []
  })
  return events.slice(0, events.indexOf('told') + 1)
}

/** Runs git, and kills whichever of its processes renames this lock into place. */
function killedAtRename(dir: string, lock: string, ...args: string[]): void {
  // As git may spell it, depending on where it stands.
  const spellings = [lock, `./${lock}`, join(dir, lock), `${dir}/./${lock}`].flatMap((path) => ['-P', path])
  const strace = ['-f', ...spellings, '-e', 'trace=rename', '-e', 'inject=rename:signal=SIGKILL', 'git', ...args]
  spawnSync('strace', strace, { cwd: dir, env: PLAIN_ENV })
  expect(existsSync(join(dir, lock))).toBe(true)
}
