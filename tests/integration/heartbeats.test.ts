import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openHeartbeats } from '#adapters/git/heartbeats.ts'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import type { HeartbeatsPort } from '#core/ports/heartbeats.ts'
import type { Zone } from '#core/zone-policy.ts'
import { beat } from '#services/sync/hub/heartbeats.ts'
import { signsOfLife } from '#services/sync/hub/signs-of-life.ts'
import { Attacker } from '#tests/support/git-attacker.ts'
import { makeHub, makeZones, type Zones } from '#tests/support/git-zones.ts'
import { hasSshd, type SshHub, serveHub, sshCommand } from '#tests/support/sshd.ts'

/** A day of one zone is `COUNTERSIGN_TEST_BEATS=1728`. */
const BEATS = Number(process.env.COUNTERSIGN_TEST_BEATS ?? 60)
const START = Date.parse('2026-11-30T10:00:00Z')
let now = START
let zones: Zones
let hub: string

beforeAll(async () => {
  zones = await makeZones()
  hub = await makeHub(zones)
})
afterAll(() => zones[Symbol.dispose]())

const at = async (agent: string, hubUrl = hub, signer = agent): Promise<HeartbeatsPort> =>
  openHeartbeats({
    gitDir: join(mkdtempSync(join(zones.root, `${agent}-beats-`)), 'heartbeats.git'),
    ...{ hubUrl, agent, agents: zones.agents },
    signingKeyFile: join(zones.home(signer), 'keys', 'signing'),
    ssh: {
      deployKeyFile: join(zones.home(agent), 'keys', 'deploy'),
      knownHostsFile: join(zones.home(agent), 'trust', 'known_hosts'),
    },
  })
const zoneOf = (agent: string) => new Map<string, Zone>(agent === 'cloud' ? [['local', 'local']] : [['cloud', 'cloud']])
const agentAt = (agent: 'cloud' | 'local', port: HeartbeatsPort) => {
  const store = openSyncStore(':memory:')
  const deps = {
    ...{ agent, zone: agent, port, store, clock: { now: () => now }, log: { info: () => {}, warn: () => {} } },
    others: async () => zoneOf(agent),
    status: async () => undefined,
  }
  const trust = async () => ({ agents: zoneOf(agent) })
  return {
    beat: () => beat(deps),
    life: async () => (await signsOfLife({ trust, agent, store }))[0],
  }
}
const pathsBelow = (dir: string): string[] =>
  (existsSync(dir) ? readdirSync(dir, { recursive: true, withFileTypes: true }) : [])
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name))
const filesBelow = (dir: string): number => pathsBelow(dir).length

describe('heartbeats at a hub', () => {
  it('are heard by the other agent, are signs of life, and the same one again is none', async () => {
    await using theirs = await at('cloud')
    await using ours = await at('local')
    const [cloud, local] = [agentAt('cloud', theirs), agentAt('local', ours)]
    expect(await local.beat()).toEqual([])
    await cloud.beat()
    expect(await local.beat()).toMatchObject([{ agent: 'cloud', health: 'unknown', at: new Date(START).toISOString() }])
    now += 600_000
    await local.beat()
    expect(await local.life()).toMatchObject({ at: new Date(START).toISOString() })
    await cloud.beat()
    await local.beat()
    expect(await local.life()).toMatchObject({ at: new Date(now).toISOString() })
  })

  it('say nothing when another agent has signed them', async () => {
    await using forger = await at('cloud', hub, 'local')
    await forger.send('{"schema":1}')
    await using ours = await at('local')
    expect(await ours.read()).toEqual({ kind: 'read', beats: new Map() })
  })

  it('say nothing in another form than their own, however they are signed', async () => {
    await using theirs = await at('cloud')
    await using ours = await at('local')
    await theirs.send('{"schema":1,"agent":"local"}')
    expect(await agentAt('local', ours).beat()).toEqual([])
    await theirs.send(`x${'y'.repeat(20_000)}`)
    expect(await agentAt('local', ours).beat()).toEqual([])
  })

  it('bring the hub’s time with them, as far as it can be known', async () => {
    await using theirs = await at('cloud')
    const before = Date.now()
    const sent = await theirs.send('x')
    const tookMs = Date.now() - before
    if (sent.kind !== 'sent' || !sent.clock) throw new Error('no time came')
    // One machine has one clock: the truth, no difference, lies within the bounds.
    expect(sent.clock.leastMs).toBeLessThanOrEqual(0)
    expect(sent.clock.mostMs).toBeGreaterThanOrEqual(0)
    expect(sent.clock.mostMs - sent.clock.leastMs).toBeLessThanOrEqual(tookMs + 1_000)
  })

  it('are away with the hub, and that is no error', async () => {
    await using ours = await at('local', join(zones.root, 'nowhere', 'vault.git'))
    expect(await ours.send('x')).toMatchObject({ kind: 'unreachable' })
    expect(await ours.read()).toMatchObject({ kind: 'unreachable' })
  })

  it('leave the vault’s repository as it was', () => {
    const refs = execFileSync('git', ['--git-dir', hub, 'for-each-ref'], { encoding: 'utf8' })
    expect(refs).toBe('')
    expect(readdirSync(join(hub, 'objects')).filter((name) => /^[0-9a-f]{2}$/.test(name))).toEqual([])
    expect(new Attacker(zones, hub).push('HEAD:refs/heartbeats/cloud').exitCode).not.toBe(0)
  })

  it(`leave the hub’s size bounded (${BEATS})`, async () => {
    const beats = join(dirname(hub), 'heartbeats.git')
    await using theirs = await at('cloud')
    for (let sent = 0; sent < BEATS; sent++) expect(await theirs.send(`beat ${sent}`)).toMatchObject({ kind: 'sent' })
    const objects = join(beats, 'objects')
    expect(filesBelow(objects)).toBeGreaterThan(Math.min(BEATS, 100))
    // As after some minutes, and with as many in one folder as make the hub throw the old ones away.
    mkdirSync(join(objects, '17'), { recursive: true })
    for (const digit of '0123') writeFileSync(join(objects, '17', digit.repeat(38)), '')
    const aWhileAgo = new Date(Date.now() - 600_000)
    for (const path of pathsBelow(objects)) utimesSync(path, aWhileAgo, aWhileAgo)
    await theirs.send('one more')
    await vi.waitFor(() => expect(filesBelow(objects)).toBeLessThan(10), { timeout: 30_000, interval: 100 })
    await using ours = await at('local')
    const read = await ours.read()
    expect(read.kind === 'read' && [...read.beats.values()].map(({ text }) => text)).toEqual(['one more'])
  })
})

describe('a day of heartbeats', () => {
  const objectsOf = () => join(dirname(hub), 'heartbeats.git', 'objects')
  const inOneFolder = () => filesBelow(join(objectsOf(), '17'))
  const AN_HOUR = 2 * 72

  it('leaves the hub’s size bounded, hour after hour, and the vault’s history as it was', async () => {
    await using theirs = await at('cloud')
    const sizes: number[] = []
    for (let hour = 0; hour < 24; hour++) {
      // What an hour of both zones leaves there, written as git would: one object for each heartbeat.
      const texts = Array.from({ length: AN_HOUR }, (_, beat) => join(zones.root, `${hour}-${beat}`))
      for (const path of texts) writeFileSync(path, path.slice(zones.root.length))
      execFileSync('git', ['--git-dir', dirname(objectsOf()), 'hash-object', '-w', '--stdin-paths'], {
        input: `${texts.join('\n')}\n`,
      })
      const aWhileAgo = new Date(Date.now() - 600_000)
      for (const path of pathsBelow(objectsOf())) utimesSync(path, aWhileAgo, aWhileAgo)
      const isDue = inOneFolder() > 3
      await theirs.send(`hour ${hour}`)
      if (isDue) await vi.waitFor(() => expect(filesBelow(objectsOf())).toBeLessThan(10), { timeout: 30_000 })
      sizes.push(filesBelow(objectsOf()))
    }
    // A day leaves 3,456; about every thousand the hub throws them away, by chance a little sooner or later.
    expect(Math.max(...sizes)).toBeLessThan(2_500)
    expect(sizes.filter((size) => size < 10)).not.toEqual([])
    expect(execFileSync('git', ['--git-dir', hub, 'for-each-ref'], { encoding: 'utf8' })).toBe('')
  })

  it('is thrown away as well where the system has no flock', async () => {
    const only = mkdtempSync(join(zones.root, 'path-'))
    symlinkSync(execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim(), join(only, 'git'))
    const repository = dirname(objectsOf())
    mkdirSync(join(objectsOf(), '17'), { recursive: true })
    for (const digit of '0123') writeFileSync(join(objectsOf(), '17', digit.repeat(38)), '')
    const aWhileAgo = new Date(Date.now() - 600_000)
    for (const path of pathsBelow(objectsOf())) utimesSync(path, aWhileAgo, aWhileAgo)
    const env = { PATH: only, GIT_DIR: repository }
    execFileSync('/bin/sh', [join(repository, 'hooks', 'post-receive')], { cwd: repository, env })
    await vi.waitFor(() => expect(inOneFolder()).toBe(0), { timeout: 30_000, interval: 100 })
  })
})

describe.skipIf(!hasSshd && !process.env.CI)('heartbeats over ssh', () => {
  let ssh: SshHub
  beforeAll(async () => {
    ssh = await serveHub(zones, hub)
  })
  afterAll(() => ssh[Symbol.asyncDispose]())

  it('an agent writes its own and no other’s', async () => {
    await using theirs = await at('cloud', ssh.url)
    await using ours = await at('local', ssh.url)
    expect(await theirs.send('alive')).toMatchObject({ kind: 'sent', clock: expect.anything() })
    const read = await ours.read()
    expect(read.kind === 'read' && [...read.beats].map(([name, { text }]) => [name, text])).toEqual([
      ['cloud', 'alive'],
    ])
    const dir = mkdtempSync(join(zones.root, 'forger-'))
    await using forger = await openHeartbeats({
      ...{ gitDir: join(dir, 'heartbeats.git'), hubUrl: ssh.url, agent: 'local', agents: zones.agents },
      signingKeyFile: join(zones.home('local'), 'keys', 'signing'),
      ssh: {
        deployKeyFile: join(zones.home('cloud'), 'keys', 'deploy'),
        knownHostsFile: join(zones.home('cloud'), 'trust', 'known_hosts'),
      },
    })
    expect(await forger.send('forged')).toMatchObject({
      kind: 'unreachable',
      reason: expect.stringContaining('refused'),
    })
  })

  it('nothing else beside the vault is served', () => {
    for (const name of ['other.git', '../heartbeats.git', `${dirname(hub)}/x.git`])
      expect(sshCommand(zones, ssh, 'cloud', `git-upload-pack '${name}'`).stderr).toContain('only git fetch')
  })
})
