import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { ownFolder } from '#adapters/zone-copy/own-folder.ts'
import { backUp } from '#services/backup/back-up.ts'
import { drill } from '#services/backup/drill.ts'
import { restore } from '#services/backup/restore.ts'
import { type BackupWorld, backupWorld, NOTE, ROWS } from '#tests/support/backup-zone.ts'
import { CLI, runCli } from '#tests/support/cli-process.ts'
import { eventually } from '#tests/support/mail.ts'
import { maySmallDisk, smallDisk } from '#tests/support/small-disk.ts'
import { restoreInto } from '../../cli/backup.ts'

let world: BackupWorld
let password: string
let whole: string
beforeAll(async () => {
  world = await backupWorld()
  password = join(world.home, 'secrets/backup-password')
  for (const secret of ['state/whatsapp/profiles/session', 'state/browser/profile'])
    mkdirSync(join(world.home, secret), { recursive: true })
  writeFileSync(join(world.home, 'state/whatsapp/profiles/session/key'), 'who has this writes as you')
  writeFileSync(join(world.home, 'state/browser/profile/Cookies'), 'logged in at the bank')
  writeFileSync(join(world.home, 'state/status.json'), '{}')
  // As while its services run: the newest rows stand in the database's log, which has not been written back.
  using running = new DatabaseSync(join(world.home, 'state/seen.sqlite'))
  running.exec("INSERT INTO seen VALUES ('<late@client.example>', 1)")
  whole = (await backUp(await world.deps())).snapshot
  rmSync(join(world.home, 'state/status.json'))
})
afterAll(() => world[Symbol.dispose]())

test('a backup of a running zone comes back whole, without the sessions of WhatsApp and of banks', async () => {
  const { ok, findings } = await drill(await world.deps(), { snapshot: whole })
  expect(findings.filter(({ result }) => result !== 'ok')).toEqual([])
  expect(ok).toBe(true)
  expect(findings.map(({ found }) => found)).toContain('git fsck finds nothing in vault.bundle, repo.bundle')

  const home = join(world.dir, 'empty')
  const { plan } = await restore(await into(home), {})
  expect(plan).toMatchObject({ snapshot: whole, zone: 'cloud', old: [] })
  for (const path of [NOTE, '.env.cloud', 'keys/signing', 'secrets/imap-password', 'trust/agents.json'])
    expect(readFileSync(join(home, path), 'utf8')).toBe(readFileSync(join(world.home, path), 'utf8'))
  // Nothing that was approved before is done by itself: it stands there before any service can.
  expect(JSON.parse(readFileSync(join(home, 'state/restored.json'), 'utf8'))).toMatchObject({
    backupOf: expect.any(String),
  })
  using seen = new DatabaseSync(join(home, 'state/seen.sqlite'))
  expect(seen.prepare('SELECT count(*) AS rows FROM seen').get()).toEqual({ rows: ROWS + 1 })
  for (const repository of ['hub/vault.git', 'state/repo.git'])
    expect(headOf(join(home, repository))).toBe(headOf(join(world.home, repository)))
  // Folders that containers want, and nothing of what belongs to one machine alone.
  for (const folder of ['state/whatsapp', 'state/browser', 'redis']) expect(readdirSync(join(home, folder))).toEqual([])
  expect(readdirSync(join(home, 'state'))).not.toContain('status.json')
  expect(readdirSync(home).filter((name) => /restor|manifest/.test(name))).toEqual([])
})

test('over a stopped zone, what was there is kept aside; over a running one, nothing is touched', async () => {
  const home = join(world.dir, 'stopped')
  cpSync(world.home, home, { recursive: true })
  writeFileSync(join(home, NOTE), 'changed since')
  {
    await using running = await holder(join(home, 'state/seen.sqlite'))
    const before = readdirSync(home)
    expect(await runCli(home, 'restore', '--target', world.target)).toMatchObject({
      code: 4,
      answer: { error: { code: 'ERR_RESTORE_REFUSED', message: expect.stringContaining('state/seen.sqlite open') } },
    })
    expect(readdirSync(home)).toEqual(before)
    expect(readFileSync(join(home, NOTE), 'utf8')).toBe('changed since')
    expect(running.exitCode).toBeNull()
  }
  writeFileSync(join(home, 'state/status.json'), '{}')
  await expect(restore(await into(home), {})).rejects.toThrow('wrote its status within the last minute')
  rmSync(join(home, 'state/status.json'))
  {
    await using _ = await ownFolder(home).asService()
    await expect(restore(await into(home), {})).rejects.toThrow('its backup service runs')
    await expect(ownFolder(home).asService()).rejects.toThrow(code('ERR_BACKUP_LOCKED'))
  }
  writeFileSync(join(home, 'odoo-db/postmaster.pid'), '1')
  await expect(restore(await into(home), {})).rejects.toThrow('Odoo’s database runs')
  rmSync(join(home, 'odoo-db/postmaster.pid'))

  const { plan } = await restore(await into(home), {})
  expect(readFileSync(join(home, NOTE), 'utf8')).toContain('It was paid.')
  expect(readFileSync(join(home, plan.aside, NOTE), 'utf8')).toBe('changed since')
  expect(existsSync(join(home, plan.aside, 'keys/signing'))).toBe(true)
})

test('what is no zone home is left alone, and so is the home of the other zone', async () => {
  const home = join(world.dir, 'elsewhere')
  mkdirSync(home)
  writeFileSync(join(home, 'thesis.txt'), 'years of work')
  await expect(restore(await into(home), {})).rejects.toThrow('not empty, and no zone home')
  writeFileSync(join(home, '.env.local'), '')
  await expect(restore(await into(home), {})).rejects.toThrow('is a home of the local zone')
  expect(readdirSync(home).sort()).toEqual(['.env.local', 'backup', 'thesis.txt'])
})

test('a wrong password, a place that is not there and another repository each say so, and harm nothing', async () => {
  const wrong = join(world.dir, 'wrong-password')
  writeFileSync(wrong, 'not the password')
  await expect(backUp(await world.deps(world.target, wrong))).rejects.toThrow(code('ERR_BACKUP_PASSWORD'))
  await expect(restore(await into(join(world.dir, 'none'), wrong), {})).rejects.toThrow(code('ERR_BACKUP_PASSWORD'))

  const unmounted = join(world.dir, 'not-mounted/backups')
  await expect(backUp(await world.deps(unmounted))).rejects.toThrow(code('ERR_BACKUP_UNREACHABLE'))
  expect(existsSync(join(world.dir, 'not-mounted'))).toBe(false)
  const server = await world.deps('sftp:backup@127.0.0.1:/backups')
  await expect(drill(server)).rejects.toThrow(code('ERR_BACKUP_UNREACHABLE'))

  renameSync(world.target, `${world.target}-away`)
  onTestFinished(() => {
    rmSync(world.target, { recursive: true, force: true })
    renameSync(`${world.target}-away`, world.target)
  })
  await backUp(await world.deps(), true)
  cpSync(world.target, `${world.target}-other`, { recursive: true })
  rmSync(world.target, { recursive: true })
  await expect(backUp(await world.deps())).rejects.toThrow('are not there any more')
  expect(existsSync(world.target)).toBe(false)
  const { backup, repository } = await (await world.deps()).status.load()
  expect(backup).toMatchObject({ outcome: 'failed', problem: expect.stringContaining('mount it') })
  expect(repository?.target).toBe(world.target)
})

test.runIf(maySmallDisk())('a full disk is an error, and there is a backup again when there is room', async () => {
  const dir = join(world.dir, 'disk')
  using disk = smallDisk(dir)
  const deps = await world.deps(join(dir, 'backups'))
  await backUp(deps, true)
  writeFileSync(join(world.home, 'vault/Inbox/picture.bin'), randomBytesOf(3_000_000))
  const free = disk.fill()
  await expect(backUp(deps)).rejects.toThrow(code('ERR_BACKUP_FULL'))
  expect((await deps.status.load()).backup).toMatchObject({ outcome: 'failed' })
  free()
  expect(await backUp(deps)).toMatchObject({ snapshot: expect.any(String) })
  rmSync(join(world.home, 'vault/Inbox/picture.bin'))
})

test('a backup that is killed leaves no half one, and neither does its lock stand in the way', async () => {
  const target = join(world.dir, 'killed')
  const deps = await world.deps(target)
  await backUp(deps, true)
  writeFileSync(join(world.home, 'vault/Inbox/large.bin'), randomBytesOf(60_000_000))
  const locks = join(target, 'locks')
  const dying = spawn(process.execPath, [CLI, '--home', world.home, 'backup', 'now', '--target', target], {
    detached: true,
    stdio: 'ignore',
  })
  // restic has taken its lock, for the backup: the copy stands there by then.
  await eventually('restic has its lock', () => readdirSync(locks).length === 1, 60_000)
  process.kill(-(dying.pid as number), 'SIGKILL')
  // Until somebody has asked what became of it, a dead process still has its number.
  await eventually('the killed are gone', () => !isThere(-(dying.pid as number)), 60_000)
  expect(existsSync(join(world.home, 'backup/stage'))).toBe(true)
  expect(readdirSync(locks)).toHaveLength(1)
  rmSync(join(world.home, 'vault/Inbox/large.bin'))

  await backUp(deps)
  expect(await drill(deps)).toMatchObject({ ok: true })
  expect(existsSync(join(world.home, 'backup/stage'))).toBe(false)
  expect((await deps.store.list()).length).toBe(2)
  expect(readdirSync(locks)).toEqual([])
})

test('restic that is told to end in the middle of a trial has found no damage', async () => {
  const stop = new AbortController()
  const deps = await world.deps(world.target, undefined, stop.signal)
  const before = (await deps.status.load()).drill
  const restore: typeof deps.store.restore = (id, folder) => {
    stop.abort()
    return deps.store.restore(id, folder)
  }
  await expect(drill({ ...deps, store: { ...deps.store, restore } })).rejects.toThrow('restic restore')
  expect((await deps.status.load()).drill).toEqual(before)
})

test('while another works on the backups, a backup is made and nothing old is thrown away; two of ours never meet', async () => {
  const deps = await world.deps()
  await using other = await resticThatWaits()
  expect(await backUp(deps)).toMatchObject({ kept: 'something else works on the backups' })
  expect(other.exitCode).toBeNull()
  await using _ = await deps.oneAtATime()
  expect(await runCli(world.home, 'backup', 'now', '--target', world.target)).toMatchObject({
    answer: { error: { code: 'ERR_BACKUP_LOCKED' } },
  })
})

test('a backup from the future has nothing thrown away', async () => {
  const deps = await world.deps()
  const clock = { now: () => Date.now() - 3 * 24 * 3_600_000 }
  expect(await backUp({ ...deps, clock })).toMatchObject({ kept: expect.stringContaining('from the future') })
})

test('a restore that is killed before everything is fetched begins anew, and after it is finished by the next run', async () => {
  const home = join(world.dir, 'interrupted')
  cpSync(world.home, home, { recursive: true })
  const unpack = async () => {
    throw new Error('killed here')
  }
  await expect(restore({ ...(await into(home)), unpack }, {})).rejects.toThrow('killed here')
  expect(readdirSync(home)).not.toContain('restoring')
  const deps = await into(home)
  const finish = async () => {
    throw new Error('killed there')
  }
  await expect(restore({ ...deps, place: { ...deps.place, finish } }, {})).rejects.toThrow('killed there')
  expect(readdirSync(home)).toContain('restoring')
  expect(existsSync(join(home, 'restoring/zone/state/restored.json'))).toBe(true)
  expect(existsSync(join(home, 'state/restored.json'))).toBe(false)
  expect(await restore(deps, {})).toMatchObject({ isResumed: true })
  expect(readdirSync(home)).not.toContain('restoring')
  expect(readFileSync(join(home, NOTE), 'utf8')).toContain('It was paid.')
})

async function into(home: string, passwordFile = password) {
  return restoreInto(home, { target: world.target, passwordFile }, {})
}

const code = (expected: string) => expect.objectContaining({ code: expected })

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function headOf(gitDir: string): string {
  return execFileSync('git', ['-C', gitDir, 'rev-parse', 'refs/heads/main']).toString()
}

/** What restic cannot make smaller. */
function randomBytesOf(size: number): Buffer {
  return execFileSync('head', ['-c', String(size), '/dev/urandom'], { maxBuffer: size + 1_000 })
}

type Held = ChildProcess & AsyncDisposable

function held(child: ChildProcess): Held {
  return Object.assign(child, {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  })
}

/** A process that has a database open, as a service has. */
async function holder(path: string): Promise<Held> {
  const text = `
    import { DatabaseSync } from 'node:sqlite'
    const database = new DatabaseSync(process.argv[1])
    database.prepare('SELECT count(*) FROM seen').get()
    console.log('open')
    setInterval(() => database, 1000)`
  const child = held(
    spawn(process.execPath, ['--input-type=module', '-e', text, path], { stdio: ['ignore', 'pipe', 'ignore'] }),
  )
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  return child
}

/** A restic that holds a lock, as it does while it waits for what it is to save. */
async function resticThatWaits(): Promise<Held> {
  const env = {
    PATH: process.env.PATH,
    RESTIC_REPOSITORY: world.target,
    RESTIC_PASSWORD_FILE: password,
    HOME: world.dir,
  }
  const child = held(
    spawn('restic', ['backup', '--stdin', '--tag', 'other'], { env, stdio: ['pipe', 'ignore', 'ignore'] }),
  )
  await eventually('restic has its lock', () => readdirSync(join(world.target, 'locks')).length === 1, 60_000)
  return child
}
