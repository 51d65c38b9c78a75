import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blobIdOf } from '#core/blob-id.ts'
import type { HubWatch, Oid, RepoPort } from '#core/ports/repo.ts'
import { commitFiles, makeHub, makeZones, openClone, type Zones } from '#tests/support/git-zones.ts'
import { hasSshd, type SshHub, serveHub, sshCommand } from '#tests/support/sshd.ts'
import { until } from '#tests/support/sync-process.ts'

const NOTE = 'Updates/cloud/01K9ZZZZZZZZZZZZZZZZ7H3K9Q.md'
const OTHER = 'Updates/local/01K9ZZZZZZZZZZZZZZZZ8H3K9Q.md'

let zones: Zones
beforeAll(async () => {
  zones = await makeZones()
})
afterAll(() => zones[Symbol.dispose]())

/** A hub with one commit, and a clone of each agent that has fetched it. */
async function makePair() {
  const hub = await makeHub(zones)
  const local = await openClone(zones, 'local', hub)
  const cloud = await openClone(zones, 'cloud', hub)
  const head = await commitFiles(local, null, { 'Dashboard.md': '# Dashboard\n' })
  expect(await local.push({ commit: head, expected: null })).toEqual({ kind: 'landed' })
  expect(await cloud.fetch()).toEqual({ kind: 'ok', head })
  expect(await local.fetch()).toEqual({ kind: 'ok', head })
  return {
    hub,
    local,
    cloud,
    head,
    async [Symbol.asyncDispose]() {
      await local[Symbol.asyncDispose]()
      await cloud[Symbol.asyncDispose]()
    },
  }
}

describe('pushing', () => {
  it('lets exactly one of two clones that race for one head land, round after round', async () => {
    await using pair = await makePair()
    let head = pair.head
    for (let round = 0; round < 5; round += 1) {
      const mine = await commitFiles(pair.local, head, { [OTHER]: `${round}\n` })
      const theirs = await commitFiles(pair.cloud, head, { [NOTE]: `${round}\n` })
      const outcomes = await Promise.all([
        pair.local.push({ commit: mine, expected: head }),
        pair.cloud.push({ commit: theirs, expected: head }),
      ])
      expect(outcomes.filter((one) => one.kind === 'landed')).toHaveLength(1)
      expect(outcomes).toContainEqual(expect.objectContaining({ kind: 'rejected', cause: 'raced' }))
      head = outcomes[0]?.kind === 'landed' ? mine : theirs
      expect(await pair.local.fetch()).toEqual({ kind: 'ok', head })
      expect(await pair.cloud.fetch()).toEqual({ kind: 'ok', head })
    }
  })

  it('does not tell two pushers of one identical commit that both landed', async () => {
    await using pair = await makePair()
    await using second = await openClone(zones, 'cloud', pair.hub)
    const commit = await commitFiles(pair.cloud, pair.head, { [NOTE]: 'x\n' })
    expect(await pair.cloud.push({ commit, expected: pair.head })).toEqual({ kind: 'landed' })
    await second.fetch()
    expect(await second.push({ commit, expected: pair.head })).toMatchObject({ kind: 'unknown' })
    expect(await pair.cloud.push({ commit, expected: pair.head })).toMatchObject({ kind: 'unknown' })
  })

  it('rejects a commit built on a head that moved, and on a branch that exists already', async () => {
    await using pair = await makePair()
    const first = await commitFiles(pair.cloud, pair.head, { [NOTE]: 'x\n' })
    await pair.cloud.push({ commit: first, expected: pair.head })
    const late = await commitFiles(pair.local, pair.head, { [OTHER]: 'x\n' })
    expect(await pair.local.push({ commit: late, expected: pair.head })).toMatchObject({
      kind: 'rejected',
      cause: 'raced',
    })
    const root = await commitFiles(pair.local, null, { [OTHER]: 'x\n' })
    expect(await pair.local.push({ commit: root, expected: null })).toMatchObject({ kind: 'rejected', cause: 'raced' })
  })

  it('shows the hub’s plain lines when its gate refuses', async () => {
    await using pair = await makePair()
    const commit = await commitFiles(pair.cloud, pair.head, { 'Dashboard.md': 'mine\n' })
    expect(await pair.cloud.push({ commit, expected: pair.head })).toEqual({
      kind: 'rejected',
      cause: 'refused',
      reason: `countersign: refused ${commit.slice(0, 12)} local-only-path: Dashboard.md`,
    })
  })

  it('never pushes a commit that does not descend from the expected head', async () => {
    await using pair = await makePair()
    const root = await commitFiles(pair.local, null, { [OTHER]: 'x\n' })
    await expect(pair.local.push({ commit: root, expected: pair.head })).rejects.toThrow(/does not descend/)
  })

  it('calls it unknown when the hub dies after the update, and the next fetch shows that it landed', async () => {
    await using pair = await makePair()
    writeHook(pair.hub, 'reference-transaction', '[ "$1" = committed ] && kill -9 $PPID; exit 0')
    const commit = await commitFiles(pair.cloud, pair.head, { [NOTE]: 'x\n' })
    expect(await pair.cloud.push({ commit, expected: pair.head })).toMatchObject({ kind: 'unknown' })
    expect(await pair.cloud.fetch()).toEqual({ kind: 'ok', head: commit })
    expect(await pair.cloud.isAncestor(commit, commit)).toBe(true)
  })

  it('calls it unknown when no answer comes in time', async () => {
    await using pair = await makePair()
    await using hasty = await openClone(zones, 'cloud', pair.hub, { pushTimeoutMs: 1_500 })
    await hasty.fetch()
    const fifo = join(pair.hub, 'held')
    execFileSync('mkfifo', [fifo])
    writeHook(pair.hub, 'reference-transaction', `[ "$1" = committed ] && cat '${fifo}'; exit 0`)
    const commit = await commitFiles(hasty, pair.head, { [NOTE]: 'x\n' })
    expect(await hasty.push({ commit, expected: pair.head })).toMatchObject({ kind: 'unknown' })
    writeFileSync(fifo, '')
    expect(await hasty.remoteHead()).toEqual({ kind: 'ok', head: commit })
  })

  it('calls it unknown when the hub is away, and fetching unreachable', async () => {
    await using pair = await makePair()
    rmSync(pair.hub, { recursive: true })
    const commit = await commitFiles(pair.cloud, pair.head, { [NOTE]: 'x\n' })
    expect(await pair.cloud.push({ commit, expected: pair.head })).toMatchObject({ kind: 'unknown' })
    expect(await pair.cloud.fetch()).toMatchObject({
      kind: 'unreachable',
      reason: expect.stringMatching(/not appear|exist/),
    })
    expect(await pair.cloud.remoteHead()).toMatchObject({ kind: 'unreachable' })
    expect(await pair.cloud.head()).toBe(pair.head)
  })

  it('clears a lock that a killed receive-pack left at the hub, but not one in use', async () => {
    await using pair = await makePair()
    const lock = join(pair.hub, 'refs', 'heads', 'main.lock')
    writeFileSync(lock, '')
    const commit = await commitFiles(pair.cloud, pair.head, { [NOTE]: 'x\n' })
    expect(await pair.cloud.push({ commit, expected: pair.head })).toMatchObject({ kind: 'rejected' })
    const anHourAgo = Date.now() / 1000 - 3600
    utimesSync(lock, anHourAgo, anHourAgo)
    expect(await pair.cloud.push({ commit, expected: pair.head })).toEqual({ kind: 'landed' })
  })
})

describe('a clone', () => {
  it('knows an empty hub from one that is away', async () => {
    const hub = await makeHub(zones)
    await using clone = await openClone(zones, 'local', hub)
    expect(await clone.fetch()).toEqual({ kind: 'ok', head: null })
    expect(await clone.remoteHead()).toEqual({ kind: 'ok', head: null })
    expect(await clone.head()).toBeNull()
  })

  it('reads commits oldest first with signer, trailers and changes', async () => {
    await using pair = await makePair()
    const trailers = { Claim: 'x', Nonce: 'abcd', HLC: '1-2' }
    const second = await commitFiles(pair.cloud, pair.head, { [NOTE]: 'x\n' }, trailers)
    const third = await commitFiles(pair.cloud, second, { [NOTE]: 'xy\n', 'Plans/ä plan.md': 'p\n' })
    const fourth = await commitFiles(pair.cloud, third, { [NOTE]: null })
    await pair.cloud.push({ commit: fourth, expected: pair.head })
    await pair.local.fetch()
    const commits = await pair.local.commitsBetween(pair.head, fourth)
    expect(commits.map((one) => one.oid)).toEqual([second, third, fourth])
    expect(commits[0]).toMatchObject({
      parents: [pair.head],
      signature: { state: 'good', agent: 'cloud', fingerprint: expect.stringMatching(/^SHA256:/) },
      trailers,
      changes: [{ path: NOTE, after: { mode: '100644', size: 2 } }],
    })
    expect(commits[0]?.changes[0]).not.toHaveProperty('before')
    expect(commits[1]?.changes).toMatchObject([
      { path: 'Plans/ä plan.md', after: { size: 2 } },
      { path: NOTE, before: { size: 2 }, after: { size: 3 } },
    ])
    expect(commits[2]?.changes).toMatchObject([{ path: NOTE, before: { size: 3 } }])
    expect(commits[2]?.changes[0]).not.toHaveProperty('after')
    expect(await pair.local.commitsBetween(fourth, fourth)).toEqual([])
    expect((await pair.local.commitsBetween(null, fourth)).map((one) => one.oid)).toEqual([
      pair.head,
      second,
      third,
      fourth,
    ])
    expect([...(await pair.local.treeOf(fourth)).keys()]).toEqual(['Dashboard.md', 'Plans/ä plan.md'])
    expect((await pair.local.treeOf(null)).size).toBe(0)
  })

  it('commits on any parent, whatever it committed before', async () => {
    await using pair = await makePair()
    const one = await commitFiles(pair.local, pair.head, { [OTHER]: '1\n' })
    const two = await commitFiles(pair.local, pair.head, { 'HALT.md': 'stop\n' })
    const three = await commitFiles(pair.local, one, { 'Dashboard.md': null })
    expect([...(await pair.local.treeOf(two)).keys()]).toEqual(['Dashboard.md', 'HALT.md'])
    expect([...(await pair.local.treeOf(three)).keys()]).toEqual([OTHER])
    const both = await Promise.all([
      commitFiles(pair.local, pair.head, { 'HALT.md': 'a\n' }),
      commitFiles(pair.local, null, { 'HALT.md': 'b\n' }),
    ])
    expect([...(await pair.local.treeOf(both[0])).keys()]).toEqual(['Dashboard.md', 'HALT.md'])
    expect([...(await pair.local.treeOf(both[1])).keys()]).toEqual(['HALT.md'])
  })

  it('keeps bytes as they are, and refuses to read too many', async () => {
    await using pair = await makePair()
    const blobs = [new Uint8Array(), Buffer.from('a\r\nb\0c\n'), Buffer.alloc(300_000, 0xff)]
    const oids = await Promise.all(blobs.map((bytes) => pair.local.writeBlob(bytes)))
    const read = await Promise.all(oids.map((oid) => pair.local.readBlob(oid, 300_000)))
    expect(read.map((bytes) => Buffer.from(bytes))).toEqual(blobs.map((bytes) => Buffer.from(bytes)))
    await expect(pair.local.readBlob(oids[2] as Oid, 299_999)).rejects.toMatchObject({ code: 'ERR_GIT_FAILED' })
    await expect(pair.local.readBlob('1'.repeat(40) as Oid, 10)).rejects.toMatchObject({ code: 'ERR_GIT_FAILED' })
    await expect(pair.local.readBlob(pair.head, 1000)).rejects.toMatchObject({ code: 'ERR_GIT_FAILED' })
  })

  it('keeps refs of its own', async () => {
    await using pair = await makePair()
    expect(await pair.local.readRef('verified')).toBeNull()
    await pair.local.saveRef('verified', pair.head)
    expect(await pair.local.readRef('verified')).toBe(pair.head)
    await pair.local.saveRef('verified', null)
    expect(await pair.local.readRef('verified')).toBeNull()
    await expect(pair.local.saveRef('../heads/main', pair.head)).rejects.toThrow(/not a name/)
    await expect(pair.local.saveRef('hub', pair.head)).rejects.toThrow(/not a name/)
  })

  it('packs its loose objects once there are many, and reads them as before', async () => {
    await using pair = await makePair()
    const dir = mkdtempSync(join(zones.root, 'many-'))
    await using clone = await openClone(zones, 'local', pair.hub, { gitDir: join(dir, 'repo.git') })
    // As many as lie in one folder of 256 when there are some 6,000 in all.
    const texts = Array.from({ length: 9_000 }, (_, number) => `note ${number}\n`)
    const many = texts.filter((text) => blobIdOf(Buffer.from(text)).startsWith('17')).slice(0, 24)
    const commit = await commitFiles(clone, null, Object.fromEntries(many.map((text, at) => [`Plans/${at}.md`, text])))
    await clone.saveRef('verified', commit)
    const packs = () => readdirSync(join(dir, 'repo.git/objects/pack')).filter((name) => name.endsWith('.pack'))
    await clone.tidy()
    expect(packs()).toHaveLength(1)
    expect(existsSync(join(dir, 'repo.git/objects/17'))).toBe(false)
    for (const text of many)
      expect(Buffer.from(await clone.readBlob(blobIdOf(Buffer.from(text)), 100)).toString()).toBe(text)
    expect((await clone.commitsBetween(null, commit))[0]?.signature).toMatchObject({ state: 'good', agent: 'local' })
    await clone.tidy()
    expect(packs()).toHaveLength(1)
  })

  it('packs the many small packs that fetches left', async () => {
    const dir = mkdtempSync(join(zones.root, 'packs-'))
    const gitDir = join(dir, 'repo.git')
    await using clone = await openClone(zones, 'local', await makeHub(zones), { gitDir })
    const pack = (oid: Oid) =>
      execFileSync('git', ['--git-dir', gitDir, 'pack-objects', '-q', join(gitDir, 'objects/pack/pack')], {
        input: `${oid}\n`,
      })
    const packs = () => readdirSync(join(gitDir, 'objects/pack')).filter((name) => name.endsWith('.pack'))
    const oids: Oid[] = []
    for (let number = 0; number < 50; number++) {
      const oid = await clone.writeBlob(Buffer.from(`note ${number}\n`))
      pack(oid)
      rmSync(join(gitDir, 'objects', oid.slice(0, 2), oid.slice(2)), { force: true })
      oids.push(oid)
    }
    expect(packs()).toHaveLength(50)
    await clone.tidy()
    expect(packs()).toHaveLength(1)
    for (const [number, oid] of oids.entries())
      expect(Buffer.from(await clone.readBlob(oid, 100)).toString()).toBe(`note ${number}\n`)
  })

  it('belongs to one process at a time', async () => {
    const hub = await makeHub(zones)
    const gitDir = join(mkdtempSync(join(zones.root, 'one-')), 'repo.git')
    const first = await openClone(zones, 'local', hub, { gitDir })
    await expect(openClone(zones, 'local', hub, { gitDir })).rejects.toMatchObject({ code: 'ERR_CLONE_IN_USE' })
    await first[Symbol.asyncDispose]()
    await using again = await openClone(zones, 'local', hub, { gitDir })
    expect(await again.head()).toBeNull()
  })

  it('opens again after a kill: stale locks removed, planted settings and hooks without effect', async () => {
    const hub = await makeHub(zones)
    const gitDir = join(mkdtempSync(join(zones.root, 'again-')), 'repo.git')
    const first = await openClone(zones, 'local', hub, { gitDir })
    const head = await commitFiles(first, null, { 'Dashboard.md': 'x\n' })
    await first.push({ commit: head, expected: null })
    await first.fetch()
    await first[Symbol.asyncDispose]()
    for (const name of [
      'countersign-index.lock',
      'config.lock',
      'HEAD.lock',
      'refs/countersign/hub.lock',
      'packed-refs.lock',
    ])
      writeFileSync(join(gitDir, name), '')
    const trace = join(gitDir, 'planted')
    mkdirSync(join(gitDir, 'hooks'), { recursive: true })
    for (const hook of ['pre-push', 'reference-transaction', 'post-index-change'])
      writeHook(gitDir, hook, `touch '${trace}'`)
    writeFileSync(
      join(gitDir, 'config'),
      `[core]\n\tfsmonitor = touch '${trace}'\n\tsshCommand = touch '${trace}'\n[broken`,
    )

    await using again = await openClone(zones, 'local', hub, { gitDir })
    const next = await commitFiles(again, head, { 'Dashboard.md': 'y\n' })
    expect(await again.push({ commit: next, expected: head })).toEqual({ kind: 'landed' })
    expect(await again.fetch()).toEqual({ kind: 'ok', head: next })
    expect(existsSync(trace)).toBe(false)
  })

  it('refuses an address that is not encrypted', async () => {
    await expect(openClone(zones, 'local', 'git://hub.example/vault.git')).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: expect.stringContaining('not encrypted'),
    })
  })
})

it('makes no folder for connections when the hub is a folder', async () => {
  const gitDir = join(mkdtempSync(join(zones.root, 'plain-')), 'repo.git')
  const ssh = { deployKeyFile: '/nonexistent/key', knownHostsFile: '/nonexistent/hosts' }
  await using _clone = await openClone(zones, 'cloud', await makeHub(zones), { gitDir, ssh })
  expect(readFileSync(join(gitDir, 'config'), 'utf8')).not.toContain('ControlPath')
  expect(existsSync(join(gitDir, 'countersign-ssh-dir'))).toBe(false)
})

// Continuous integration installs one; there its absence would hide that nothing of this was tested.
it.runIf(process.env.CI)('an sshd is on this machine, so that the hub over ssh is tested', () => {
  expect(hasSshd, 'no sshd was found: install openssh-server').toBe(true)
})

describe.skipIf(!hasSshd)('a hub over ssh (needs an sshd on this machine)', () => {
  let hub: SshHub
  let repository: string
  const open = (
    agent: string,
    overrides: { deployKeyFile?: string; knownHostsFile?: string } = {},
    options: { gitDir?: string } = {},
  ): Promise<RepoPort> =>
    openClone(zones, agent, hub.url, {
      ...options,
      ssh: {
        deployKeyFile: join(zones.home(agent), 'keys', 'deploy'),
        knownHostsFile: join(zones.home(agent), 'trust', 'known_hosts'),
        ...overrides,
      },
    })

  beforeAll(async () => {
    repository = await makeHub(zones)
    hub = await serveHub(zones, repository)
  })
  afterAll(() => hub[Symbol.asyncDispose]())

  it('serves both agents, each with its own deploy key', async () => {
    await using local = await open('local')
    await using cloud = await open('cloud')
    const head = await commitFiles(local, null, { 'Dashboard.md': 'x\n' })
    expect(await local.push({ commit: head, expected: null })).toEqual({ kind: 'landed' })
    expect(await cloud.fetch()).toEqual({ kind: 'ok', head })
    const next = await commitFiles(cloud, head, { [NOTE]: 'x\n' })
    expect(await cloud.push({ commit: next, expected: head })).toEqual({ kind: 'landed' })
    expect(await local.remoteHead()).toEqual({ kind: 'ok', head: next })
  })

  it('tells everyone who listens of a push, and cleans up behind who left', async () => {
    await using cloud = await open('cloud')
    const heads: (Oid | null | undefined)[] = []
    const watchers = () => readdirSync(join(repository, 'watchers'))
    {
      await using local = await open('local')
      await using watch = local.watch((head) => heads.push(head)) as HubWatch
      await until('the first word', () => watch.isLive())
      const fetched = await cloud.fetch()
      const expected = fetched.kind === 'ok' ? fetched.head : null
      const head = await commitFiles(cloud, expected, { [NOTE]: `${heads.length}\n` })
      expect(await cloud.push({ commit: head, expected })).toEqual({ kind: 'landed' })
      await until('the new head', () => heads.at(-1) === head)
      expect(heads).toEqual([expected, head])
      expect(watchers()).toHaveLength(1)
    }
    // A pipe whose reader is gone neither blocks a push nor stays.
    execFileSync('mkfifo', [join(repository, 'watchers', 'local.99999999')])
    const parent = heads.at(-1) as Oid
    const next = await commitFiles(cloud, parent, { [NOTE]: 'once more\n' })
    expect(await cloud.push({ commit: next, expected: parent })).toEqual({ kind: 'landed' })
    await until('the pipe to go', () => !watchers().includes('local.99999999'))
  })

  it('sends what others push along with the news, so that nobody asks for it; what is much has to be asked for', async () => {
    await using cloud = await open('cloud')
    const gitDir = join(mkdtempSync(join(zones.root, 'told-')), 'repo.git')
    await using local = await open('local', {}, { gitDir })
    let parent = await local.fetch().then((fetched) => (fetched.kind === 'ok' ? fetched.head : null))
    await cloud.fetch()
    const heads: (Oid | null | undefined)[] = []
    await using watch = local.watch((head) => heads.push(head)) as HubWatch
    await until('the first word', () => watch.isLive())
    const pushed = async (by: RepoPort, files: Record<string, string>) => {
      const head = await commitFiles(by, parent, files)
      expect(await by.push({ commit: head, expected: parent })).toEqual({ kind: 'landed' })
      await until('the news', () => heads.at(-1) === head)
      parent = head
      return head
    }
    const away = (url: string) => execFileSync('git', ['--git-dir', gitDir, 'config', 'remote.hub.url', url])

    const zeroth = await pushed(cloud, { [NOTE]: 'zero\n' })
    expect(await local.fetch()).toEqual({ kind: 'ok', head: zeroth })
    // Two pushes that nobody has looked at yet, a third by the listener itself, a fourth.
    await pushed(cloud, { [NOTE]: 'one\n' })
    const second = await pushed(cloud, { [NOTE]: 'one\ntwo\n' })
    away('/nowhere')
    expect(await local.fetch({ mayBeTold: true })).toEqual({ kind: 'ok', head: second })
    expect(await local.head()).toBe(second)
    expect(await local.commitsBetween(null, second)).toHaveLength((await cloud.commitsBetween(null, second)).length)
    away(hub.url)
    await pushed(local, { [OTHER]: 'mine\n' })
    await cloud.fetch()
    const fourth = await pushed(cloud, { [NOTE]: 'four\n' })
    away('/nowhere')
    expect(await local.fetch({ mayBeTold: true })).toEqual({ kind: 'ok', head: fourth })
    // It was told once, and says nothing of what the hub has now.
    expect(await local.fetch({ mayBeTold: true })).toMatchObject({ kind: 'unreachable' })

    const notes = Array.from({ length: 12 }, (_, at) => NOTE.replace(/..\.md$/, `${String(at).padStart(2, '0')}.md`))
    const much = await pushed(
      cloud,
      Object.fromEntries(notes.map((path) => [path, randomBytes(25_000).toString('hex')])),
    )
    expect(await local.fetch({ mayBeTold: true })).toMatchObject({ kind: 'unreachable' })
    away(hub.url)
    expect(await local.fetch({ mayBeTold: true })).toEqual({ kind: 'ok', head: much })
  })

  it('refuses a commit signed by one agent and pushed with the other’s deploy key', async () => {
    await using thief = await open('local', { deployKeyFile: join(zones.home('cloud'), 'keys', 'deploy') })
    const fetched = await thief.fetch()
    const parent = fetched.kind === 'ok' ? fetched.head : null
    const commit = await commitFiles(thief, parent, { 'Dashboard.md': 'stolen\n' })
    expect(await thief.push({ commit, expected: parent })).toMatchObject({
      kind: 'rejected',
      cause: 'refused',
      reason: expect.stringContaining('pusher-is-not-signer: signed by local, pushed by cloud'),
    })
  })

  it('takes back from any agent what it had lost, whoever had signed it', async () => {
    await using cloud = await open('cloud')
    await using local = await open('local')
    const fetched = await cloud.fetch()
    const before = fetched.kind === 'ok' ? fetched.head : null
    const ofCloud = await commitFiles(cloud, before, { [NOTE]: 'y\n' })
    expect(await cloud.push({ commit: ofCloud, expected: before })).toEqual({ kind: 'landed' })
    await local.fetch()
    const head = await commitFiles(local, ofCloud, { 'Dashboard.md': 'y\n' })
    expect(await local.push({ commit: head, expected: ofCloud })).toEqual({ kind: 'landed' })
    execFileSync('git', ['--git-dir', repository, 'update-ref', 'refs/heads/main', before ?? ''])
    expect(await local.push({ commit: head, expected: before })).toMatchObject({ kind: 'rejected' })
    expect(await local.push({ commit: head, expected: before, isRestore: true })).toEqual({ kind: 'landed' })
    expect(await cloud.remoteHead()).toEqual({ kind: 'ok', head })
  })

  it('lets no clone put it back to an older head', async () => {
    await using cloud = await open('cloud')
    const fetched = await cloud.fetch()
    const head = (fetched.kind === 'ok' && fetched.head) as Oid
    const [first] = await cloud.commitsBetween(null, head)
    expect(await cloud.resetHub({ to: first?.oid ?? null, expected: head })).toMatchObject({ kind: 'rejected' })
    expect(await cloud.remoteHead()).toEqual({ kind: 'ok', head })
  })

  it('keeps no connection and no socket after closing', async () => {
    const gitDir = join(mkdtempSync(join(zones.root, 'socket-')), 'repo.git')
    const clone = await open('cloud', {}, { gitDir })
    await clone.fetch()
    const config = readFileSync(join(gitDir, 'config'), 'utf8')
    const [, socket = ''] = /ControlPath=\\"([^"\\]*)\\"/.exec(config) ?? []
    expect(existsSync(socket)).toBe(true)
    await clone[Symbol.asyncDispose]()
    expect(existsSync(dirname(socket))).toBe(false)
  })

  it('closes at the next opening what a killed process left open', async () => {
    const gitDir = join(mkdtempSync(join(zones.root, 'killed-')), 'repo.git')
    const left = mkdtempSync(join(zones.root, 'left-')).replace(/left-.*$/, 'cs-ssh-0123456789abcdef')
    mkdirSync(left)
    const foreign = mkdtempSync(join(zones.root, 'foreign-'))
    for (const [recorded, isThereAfter] of [
      [left, false],
      [foreign, true],
    ] as const) {
      mkdirSync(gitDir, { recursive: true })
      writeFileSync(join(gitDir, 'countersign-ssh-dir'), recorded)
      await using _clone = await open('cloud', {}, { gitDir })
      expect(existsSync(recorded)).toBe(isThereAfter)
    }
  })

  it('believes no other host key, and nobody without a known deploy key gets in', async () => {
    const empty = join(zones.root, 'no-known-hosts')
    writeFileSync(empty, '')
    await using wary = await open('cloud', { knownHostsFile: empty })
    expect(await wary.fetch()).toMatchObject({
      kind: 'unreachable',
      reason: expect.stringMatching(/Host key verification/),
    })
    await using stranger = await open('cloud', { deployKeyFile: join(zones.home('cloud'), 'keys', 'signing') })
    expect(await stranger.fetch()).toMatchObject({
      kind: 'unreachable',
      reason: expect.stringMatching(/Permission denied/),
    })
  })

  it.each([
    'cat /etc/passwd',
    '',
    "git-upload-archive '/vault.git'",
    "git-upload-pack '/etc'",
    "git-upload-pack '/vault.git'; id",
    "git-upload-pack '/vault.git' '/etc'",
    "git-receive-pack '/vault.git'\nid",
    "git upload-pack '/vault.git'",
    'scp -f /etc/passwd',
  ])('runs nothing but fetch and push of the vault: %j', (command) => {
    const answer = sshCommand(zones, hub, 'cloud', command)
    expect(answer.status).toBe(128)
    expect(answer.stdout).toBe('')
    expect(answer.stderr).toContain('only git fetch, git push and watching the vault')
  })

  it('says so when the hub does not listen', async () => {
    const other = await makeHub(zones)
    const closed = await serveHub(zones, other)
    await closed[Symbol.asyncDispose]()
    await using clone = await openClone(zones, 'cloud', closed.url, {
      ssh: {
        deployKeyFile: join(zones.home('cloud'), 'keys', 'deploy'),
        knownHostsFile: join(zones.home('cloud'), 'trust', 'known_hosts'),
      },
    })
    expect(await clone.fetch()).toMatchObject({
      kind: 'unreachable',
      reason: expect.stringMatching(/Connection refused/),
    })
  })
})

function writeHook(dir: string, name: string, script: string): void {
  writeFileSync(join(dir, 'hooks', name), `#!/bin/sh\n${script}\n`, { mode: 0o700 })
}
