import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openRestic } from '#adapters/restic/restic.ts'
import { credentialNamed } from '#core/credentials.ts'
import { commitFiles, makeHub, makeZones, openClone, taskText, type Zones } from '#tests/support/git-zones.ts'
import { hasSshd, serveHub, sshCommand } from '#tests/support/sshd.ts'
import { startWatchedRedis, type WatchedRedis } from '#tests/support/watched-redis.ts'
import { initZone } from '../../cli/init/init-zone.ts'
import { rotateAgentKeys } from '../../cli/rotate/agent-keys.ts'
import { backupLock } from '../../cli/rotate/backup-lock.ts'
import { type RotateOptions, rotateCredential } from '../../cli/rotate/rotate-credential.ts'
import { swapSecret } from '../../cli/rotate/swap-secret.ts'
import { homeLayout, type ZoneHome } from '../../cli/zone-home.ts'

// What `countersign rotate` replaces, at the servers that take it: afterwards the old one is refused and the new one works.

/** Containers of nobody: what else runs on this machine is not meant. */
const NOBODY: NodeJS.ProcessEnv = { ...process.env, COMPOSE_PROJECT_NAME: 'countersign-nobody' }

function rotate(home: ZoneHome, name: string, options: RotateOptions = {}, env = NOBODY) {
  const credential = credentialNamed(name)
  if (!credential) throw new Error(`no ${name}`)
  return rotateCredential(home, credential, options, undefined, env)
}

describe('passwords of Redis', () => {
  let zone: WatchedRedis
  let host: string
  beforeAll(async () => {
    zone = await startWatchedRedis('redis-exporter')
    host = await zone.address('redis')
  }, 60_000)
  afterAll(() => zone?.[Symbol.asyncDispose]())

  const login = async (username: string, secret: string) => {
    const password = secret.startsWith('{') ? String(Object.values(JSON.parse(secret))[0]) : secret
    const client = new Redis({
      host,
      username,
      password,
      lazyConnect: true,
      retryStrategy: null,
      enableReadyCheck: false,
    })
    client.on('error', () => {})
    try {
      return await client.ping()
    } catch (error) {
      return (error as Error).message
    } finally {
      client.disconnect()
    }
  }

  it('are replaced while Redis runs on and nobody who is connected is cut off', async () => {
    const old = await zone.secret('redis-password')
    await using held = Object.assign(new Redis({ host, password: old, retryStrategy: null }), {
      [Symbol.asyncDispose]: async () => void held.disconnect(),
    })
    const runId = /run_id:(\w+)/.exec(await held.info('server'))?.[1]
    expect(await rotate(zone.home, 'redis-password', {}, zone.env)).toMatchObject({ isDone: true, steps: [] })
    const fresh = await zone.secret('redis-password')
    expect([await login('default', fresh), await login('default', old)]).toEqual([
      'PONG',
      expect.stringMatching(/WRONGPASS|closed/),
    ])
    expect(await held.ping()).toBe('PONG')
    expect(/run_id:(\w+)/.exec(await held.info('server'))?.[1]).toBe(runId)
  })

  it('and whoever reads one at its start is started anew with the new one', async () => {
    const old = await zone.secret('redis-watch')
    expect((await rotate(zone.home, 'redis-watch', {}, zone.env)).restarted).toEqual(['redis-exporter'])
    expect(await login('watch', old)).toMatch(/WRONGPASS|closed/)
    const answer = await fetch(`http://${await zone.address('redis-exporter')}:9121/metrics`)
    expect(await answer.text()).toMatch(/^redis_up 1$/m)
  })

  it('are known again after Redis itself was started anew', async () => {
    execFileSync('docker', ['compose', '-f', 'compose.cloud.yml', 'restart', '-t', '5', 'redis'], {
      env: zone.env,
      stdio: 'ignore',
    })
    host = await zone.address('redis')
    const fresh = await zone.secret('redis-password')
    await expect.poll(() => login('default', fresh), { timeout: 20_000 }).toBe('PONG')
  })
})

describe('the password of the backups', () => {
  const scene = async () => {
    const root = mkdtempSync(join(tmpdir(), 'rotate-backup-'))
    onTestFinished(() => rmSync(root, { recursive: true, force: true }))
    const { home } = await initZone({ root: join(root, 'zone'), zone: 'cloud', settings: {}, secrets: {} })
    const file = join(home.secrets, 'backup-password')
    const options = { target: join(root, 'backups'), passwordFile: file, cacheDir: join(root, 'cache') }
    const store = openRestic(options)
    await store.create()
    mkdirSync(join(root, 'data'))
    writeFileSync(join(root, 'data/note'), 'kept')
    await store.save(join(root, 'data'), { agent: 'cloud', zone: 'cloud' })
    copyFileSync(file, join(root, 'old'))
    return { root, home, file, options, store, withOld: openRestic({ ...options, passwordFile: join(root, 'old') }) }
  }

  it('is replaced, also by a run that died after the new one was accepted and one that finishes it; what was saved before it opens', async () => {
    const { home, file, options, store, withOld, root } = await scene()
    const lock = backupLock(options, file)
    const make = () => 'a-new-password-of-the-backups'
    const restart = () => Promise.reject(new Error('killed'))
    await expect(swapSecret({ home, file, lock, make, restart })).rejects.toThrow('killed')
    expect(await store.list()).toHaveLength(1)
    expect(await withOld.list()).toHaveLength(1)
    expect(await rotate(home, 'backup-password', { target: options.target })).toMatchObject({
      ...{ isDone: true, isFinished: true },
      steps: expect.arrayContaining([expect.stringContaining('Keep a copy of the new password')]),
    })
    await expect(withOld.list()).rejects.toMatchObject({ code: 'ERR_BACKUP_PASSWORD' })
    const [snapshot] = await store.list()
    await store.restore(snapshot?.id ?? '', join(root, 'restored'))
    expect(readFileSync(join(root, 'restored/note'), 'utf8')).toBe('kept')
  })
})

describe.skipIf(!hasSshd)('the keys of an agent, at a hub with its gate (needs an sshd on this machine)', () => {
  let zones: Zones
  let repository: string
  let home: ZoneHome
  const tasks = ['7h3k9q', '8h3k9q', '9h3k9q'].map(
    (id) => `Needs_Action/email/EMAIL_2026-11-20_invoice-for-march_${id}.md`,
  )
  const task = (index: number) =>
    taskText(0, 'Invoice for March', `01K9ZZZZZZZZZZZZZZZZ${['7H3K9Q', '8H3K9Q', '9H3K9Q'][index]}`)
  beforeAll(async () => {
    zones = await makeZones()
    repository = await makeHub(zones)
    home = homeLayout(zones.home('cloud'), 'cloud')
    mkdirSync(home.secrets)
  })
  afterAll(() => zones?.[Symbol.dispose]())

  it('are replaced together: what the old ones signed before counts, and they open and sign nothing more', async () => {
    await using before = await openClone(zones, 'cloud', repository)
    const first = await commitFiles(before, null, { [tasks[0] ?? '']: task(0) })
    expect(await before.push({ commit: first, expected: null })).toEqual({ kind: 'landed' })
    const kept = join(zones.root, 'kept')
    mkdirSync(kept)
    for (const name of ['signing', 'signing.pub', 'deploy', 'deploy.pub'])
      copyFileSync(join(home.keys, name), join(kept, name))

    const done = await rotateAgentKeys(home, first, Date.now())
    expect(done).toMatchObject({ after: first, isFinished: false })
    expect(done.old).not.toBe(done.new)

    await using hub = await serveHub(zones, repository)
    const ask = "git-upload-pack '/vault.git'"
    expect(sshCommand(zones, hub, 'cloud', ask).stdout).toContain(first)
    for (const name of ['deploy', 'deploy.pub']) copyFileSync(join(home.keys, name), join(kept, `new-${name}`))
    copyFileSync(join(kept, 'deploy'), join(home.keys, 'deploy'))
    copyFileSync(join(kept, 'deploy.pub'), join(home.keys, 'deploy.pub'))
    expect(sshCommand(zones, hub, 'cloud', ask).stderr).toMatch(/Permission denied/)
    for (const name of ['deploy', 'deploy.pub']) copyFileSync(join(kept, `new-${name}`), join(home.keys, name))

    // Whoever has the old key may sign what he likes, with whatever date: the gate goes by the place in the history.
    await using thief = await openClone(zones, 'cloud', repository, { signingKeyFile: join(kept, 'signing') })
    await thief.fetch()
    const forged = await commitFiles(thief, first, { [tasks[1] ?? '']: task(1) })
    expect(await thief.push({ commit: forged, expected: first })).toMatchObject({
      ...{ kind: 'rejected', cause: 'refused' },
    })

    await using after = await openClone(zones, 'cloud', repository)
    await after.fetch()
    const third = await commitFiles(after, first, { [tasks[2] ?? '']: task(2) })
    expect(await after.push({ commit: third, expected: first })).toEqual({ kind: 'landed' })
  })
})
