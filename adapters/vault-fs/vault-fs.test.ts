import { execFile, execFileSync } from 'node:child_process'
import { link, mkdir, mkdtemp, readdir, readFile, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { VaultPort } from '#core/ports/vault.ts'
import { keptReviewPath, REVIEW_SHEET, type VaultPath, vaultPath } from '#core/vault-path.ts'
import { openVault } from './vault-fs.ts'
import { coalesce } from './watch-folders.ts'

const NAME = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const PENDING = vaultPath(`Pending_Approval/email/${NAME}`)
const APPROVED = vaultPath(`Approved/${NAME}`)
const FROZEN = vaultPath(`In_Progress/local/${NAME}`)

let root: string
let vault: VaultPort
const folders: string[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'vault-fs-'))
  vault = await openVault(root)
})
afterEach(async () => {
  for (const folder of [root, ...folders.splice(0)]) await rm(folder, { recursive: true })
})

const outside = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'outside-'))
  folders.push(folder)
  await writeFile(join(folder, NAME), 'a secret of the machine')
  return folder
}
const unreadable = (found: RegExp) =>
  expect.objectContaining({ code: 'ERR_VAULT_UNREADABLE', message: expect.stringMatching(found) })
const leftovers = async (folder: string) =>
  (await readdir(join(root, folder))).filter((name) => name.startsWith('.tmp-'))

describe('the stamp of a file', () => {
  const settled = () => vi.waitUntil(() => vault.stamp(PENDING), { timeout: 30_000, interval: 100 })

  it('stays while the file does, and not when its bytes change to as many others of the same time', async () => {
    await vault.create(PENDING, 'one')
    expect(await vault.stamp(PENDING)).toBeUndefined()
    const before = await settled()
    expect(await vault.stamp(PENDING)).toBe(before)
    await writeFile(join(root, PENDING), 'two')
    await utimes(join(root, PENDING), 1, 1)
    expect(await vault.stamp(PENDING)).toBeUndefined()
    expect(await settled()).not.toBe(before)
  })

  it('is none for what is absent, a link, or a file with two names', async () => {
    expect(await vault.stamp(PENDING)).toBeUndefined()
    await vault.create(PENDING, 'one')
    await settled()
    await vault.create(APPROVED, 'x')
    await unlink(join(root, APPROVED))
    await link(join(root, PENDING), join(root, APPROVED))
    await unlink(join(root, APPROVED))
    await settled()
    await symlink(join(root, PENDING), join(root, APPROVED))
    expect(await vault.stamp(APPROVED)).toBeUndefined()
    await link(join(root, PENDING), join(root, `Approved/other-${NAME}`))
    expect(await vault.stamp(PENDING)).toBeUndefined()
  })
})

describe('a file of the vault', () => {
  it('is created once, read, replaced, moved and removed, leaving nothing else behind', async () => {
    expect(await vault.read(PENDING)).toBeUndefined()
    expect(await vault.create(PENDING, 'one')).toBe('created')
    expect(await vault.create(PENDING, 'two')).toBe('exists')
    expect(await vault.read(PENDING)).toBe('one')
    await vault.replace(PENDING, 'three — drei')
    expect(await vault.move(PENDING, APPROVED)).toBe('moved')
    expect(await vault.move(PENDING, APPROVED)).toBe('gone')
    expect(await vault.exists(PENDING)).toBe(false)
    expect(await vault.read(APPROVED)).toBe('three — drei')
    expect(await vault.remove(APPROVED)).toBe(true)
    expect(await vault.remove(APPROVED)).toBe(false)
    expect(await readdir(join(root, 'Approved'))).toEqual([])
    expect(await readdir(join(root, 'Pending_Approval/email'))).toEqual([])
  })

  it('keeps bytes as they are', async () => {
    const path = vaultPath(`Attachments/${'a'.repeat(64)}.pdf`)
    await vault.create(path, new Uint8Array([0, 255, 10]))
    expect(await vault.readBytes(path, 3)).toEqual(Buffer.from([0, 255, 10]))
  })

  it('is never overwritten by a move', async () => {
    await vault.create(PENDING, 'new')
    await vault.create(APPROVED, 'old')
    expect(await vault.move(PENDING, APPROVED)).toBe('exists')
    expect(await vault.read(APPROVED)).toBe('old')
    expect(await vault.read(PENDING)).toBe('new')
  })

  it('is found in whatever state folder it stands', async () => {
    expect(await vault.find(NAME)).toBeUndefined()
    for (const folder of [
      'Needs_Action/email',
      'Pending_Approval/email',
      'Approved',
      'In_Progress/local',
      'Done/2026-11',
    ]) {
      const path = vaultPath(`${folder}/${NAME}`)
      await vault.create(path, 'x')
      expect(await vault.find(NAME)).toBe(path)
    }
  })

  it('is listed when it is a plain note of the contract, sorted, without conflict copies and dot files', async () => {
    const other = NAME.replace('7h3k9q', 'aaaaaa')
    const folder = join(root, 'Approved')
    await mkdir(join(folder, NAME.replace('7h3k9q', 'bbbbbb')), { recursive: true })
    for (const name of [NAME, other, '.tmp-1.md', 'stray.md', 'EMAIL.txt', NAME.replace('.md', '.conflict-cloud-x.md')])
      await writeFile(join(folder, name), '')
    await symlink(join(folder, NAME), join(folder, NAME.replace('7h3k9q', 'cccccc')))
    expect(await vault.list('Approved')).toEqual([APPROVED, `Approved/${other}`])
    expect(await vault.list('Rejected')).toEqual([])
  })
})

it('the review sheet is kept at the root, and moved aside by one rename', async () => {
  const kept = keptReviewPath(Date.parse('2026-11-20T10:00:00Z'), 0)
  expect(await vault.read(REVIEW_SHEET)).toBeUndefined()
  expect(await vault.create(REVIEW_SHEET, '')).toBe('created')
  expect(await vault.replaceIf(REVIEW_SHEET, '', 'a sheet')).toBe('replaced')
  expect(await vault.move(REVIEW_SHEET, kept)).toBe('moved')
  expect(await readdir(root)).toEqual(['Review.kept-20261120T100000Z.md'])
  await expect(vault.read('Reviews.md' as never)).rejects.toMatchObject({ code: 'ERR_VAULT_PATH_INVALID' })
})

describe('hostile files', () => {
  it('refuses a symbolic link', async () => {
    const folder = await outside()
    await mkdir(join(root, 'Approved'))
    await symlink(join(folder, NAME), join(root, APPROVED))
    await expect(vault.read(APPROVED)).rejects.toEqual(unreadable(/symbolic link/))
  })

  it.each([['Approved'], ['Pending_Approval'], ['Pending_Approval/email']])('refuses %s as a link', async (linked) => {
    const folder = await outside()
    await mkdir(join(folder, 'email'))
    await writeFile(join(folder, 'email', NAME), 'a secret of the machine')
    await mkdir(join(root, linked, '..'), { recursive: true })
    await symlink(folder, join(root, linked))
    const path = linked === 'Approved' ? APPROVED : PENDING
    const listed = linked === 'Approved' ? 'Approved' : 'Pending_Approval/email'
    await expect(vault.read(path)).rejects.toEqual(unreadable(/not a folder/))
    await expect(vault.list(listed)).rejects.toEqual(unreadable(/not a folder/))
    await expect(vault.create(path, 'x')).rejects.toEqual(unreadable(/not a folder/))
    await expect(vault.replace(path, 'x')).rejects.toEqual(unreadable(/not a folder/))
    await expect(vault.remove(path)).rejects.toEqual(unreadable(/not a folder/))
    await vault.create(FROZEN, 'x')
    await expect(vault.move(FROZEN, path)).rejects.toEqual(unreadable(/not a folder/))
    await expect(vault.watch([listed], () => {})).rejects.toEqual(unreadable(/not a folder/))
    expect(await readFile(join(folder, NAME), 'utf8')).toBe('a secret of the machine')
  })

  it('refuses a pipe without waiting for a writer', async () => {
    await mkdir(join(root, 'Approved'))
    execFileSync('mkfifo', [join(root, APPROVED)])
    await expect(vault.read(APPROVED)).rejects.toEqual(unreadable(/a pipe/))
  })

  it('refuses a folder with the name of a file', async () => {
    await mkdir(join(root, APPROVED), { recursive: true })
    await expect(vault.read(APPROVED)).rejects.toEqual(unreadable(/a folder/))
    await expect(vault.replace(APPROVED, 'x')).rejects.toMatchObject({ code: 'ERR_VAULT_WRITE_FAILED' })
    expect(await leftovers('Approved')).toEqual([])
  })

  it('refuses a hard link', async () => {
    const folder = await outside()
    await mkdir(join(root, 'Approved'))
    await link(join(folder, NAME), join(root, APPROVED))
    await expect(vault.read(APPROVED)).rejects.toEqual(unreadable(/2 names/))
  })

  it('reads a file of exactly the limit and refuses one byte more', async () => {
    await vault.create(APPROVED, 'x'.repeat(100))
    expect(await vault.read(APPROVED, 100)).toHaveLength(100)
    await expect(vault.read(APPROVED, 99)).rejects.toEqual(unreadable(/100 bytes, the limit is 99/))
    await vault.replace(APPROVED, 'x'.repeat(1024 * 1024 + 1))
    await expect(vault.read(APPROVED)).rejects.toEqual(unreadable(/limit/))
  })

  it('refuses text that is not UTF-8', async () => {
    await vault.create(APPROVED, new Uint8Array([0x68, 0xc3, 0x28]))
    await expect(vault.read(APPROVED)).rejects.toEqual(unreadable(/UTF-8/))
  })

  it.each([
    '../outside.md',
    `Approved/../../${NAME}`,
    `/etc/${NAME}`,
    `Approved/./${NAME}`,
    `Approved/${NAME}\0`,
    `Approved\\${NAME}`,
    '.git/config',
    'Approved/.tmp-1',
    '',
  ])('refuses the path %j for every operation', async (text) => {
    const path = text as VaultPath
    const refused = expect.objectContaining({ code: 'ERR_VAULT_PATH_INVALID' })
    await expect(vault.read(path)).rejects.toEqual(refused)
    await expect(vault.readBytes(path, 10)).rejects.toEqual(refused)
    await expect(vault.exists(path)).rejects.toEqual(refused)
    await expect(vault.create(path, '')).rejects.toEqual(refused)
    await expect(vault.replace(path, '')).rejects.toEqual(refused)
    await expect(vault.remove(path)).rejects.toEqual(refused)
    await expect(vault.move(path, APPROVED)).rejects.toEqual(refused)
    await expect(vault.move(APPROVED, path)).rejects.toEqual(refused)
  })

  it.each(['..', 'Approved/..', '/etc', '', '.git', 'a\0b'])('refuses the folder %j', async (folder) => {
    const refused = expect.objectContaining({ code: 'ERR_VAULT_PATH_INVALID' })
    await expect(vault.list(folder)).rejects.toEqual(refused)
    await expect(vault.watch([folder], () => {})).rejects.toEqual(refused)
  })

  it('refuses to open a vault that is missing or a file', async () => {
    await expect(openVault(join(root, 'none'))).rejects.toEqual(unreadable(/ENOENT/))
    await writeFile(join(root, 'Dashboard.md'), '')
    await expect(openVault(join(root, 'Dashboard.md'))).rejects.toEqual(unreadable(/not a folder/))
  })
})

describe('races', () => {
  it('lets exactly one of many concurrent creators win', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => vault.create(APPROVED, `writer ${i}`)))
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1)
    expect(await vault.read(APPROVED)).toBe(`writer ${outcomes.indexOf('created')}`)
    expect(await leftovers('Approved')).toEqual([])
  })

  it('lets exactly one of many concurrent movers take a file', async () => {
    await vault.create(APPROVED, 'x')
    const targets = Array.from({ length: 12 }, (_, i) =>
      vaultPath(`Done/2026-${String(i + 1).padStart(2, '0')}/${NAME}`),
    )
    const outcomes = await Promise.all(targets.map((to) => vault.move(APPROVED, to)))
    expect(outcomes.toSorted()).toEqual([...Array(11).fill('gone'), 'moved'])
    expect(await vault.find(NAME)).toBe(targets[outcomes.indexOf('moved')])
  })

  it('lets exactly one of several processes move onto a name, and loses no content', async () => {
    const rounds = 25
    const name = (round: number) => `EMAIL_2026-11-20_race_r${String(round).padStart(5, '0')}.md`
    const workers = ['worker-a', 'worker-b', 'worker-c']
    for (const agent of workers) {
      for (let round = 0; round < rounds; round++)
        await vault.create(vaultPath(`In_Progress/${agent}/${name(round)}`), agent)
    }
    const script = `
      import { openVault } from ${JSON.stringify(join(import.meta.dirname, 'vault-fs.ts'))}
      const vault = await openVault(process.argv[1]); const outcomes = []
      const name = ${name.toString()}
      for (let round = 0; round < ${rounds}; round++)
        outcomes.push(await vault.move('In_Progress/' + process.argv[2] + '/' + name(round), 'Approved/' + name(round)))
      console.log(JSON.stringify(outcomes))`
    const run = (agent: string) =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, root, agent])
    const results = await Promise.all(workers.map(async (agent) => JSON.parse((await run(agent)).stdout) as string[]))
    for (let round = 0; round < rounds; round++) {
      const winners = workers.filter((_, i) => results[i]?.[round] === 'moved')
      expect(winners).toHaveLength(1)
      expect(await vault.read(vaultPath(`Approved/${name(round)}`))).toBe(winners[0])
    }
    expect(await leftovers('Approved')).toEqual([])
  }, 30_000)

  it('finds a file that moves on while it is looked for', async () => {
    const open = vaultPath(`Needs_Action/email/${NAME}`)
    const places = [open, FROZEN, PENDING, open, PENDING, APPROVED]
    await vault.create(open, 'x')
    for (let round = 0; round < 60; round++) {
      const [from = open, to = open] = [places[round % 6], places[(round + 1) % 6]]
      const wait = (async () => {
        for (let turn = 0; turn < round / 6; turn++) await vault.exists(PENDING)
        return vault.find(NAME)
      })()
      const [found, moved] = await Promise.all([wait, vault.move(from, to)])
      expect([round, moved, found !== undefined]).toEqual([round, 'moved', true])
    }
  })

  it('never shows a reader a half-written or absent file while it is replaced', async () => {
    await vault.create(APPROVED, 'a'.repeat(200_000))
    let writing = true
    const writer = (async () => {
      for (let i = 0; i < 20; i++) await vault.replace(APPROVED, (i % 2 ? 'a' : 'b').repeat(200_000))
      writing = false
    })()
    while (writing) expect(await vault.read(APPROVED)).toMatch(/^(a{200000}|b{200000})$/)
    await writer
  })

  it('goes on after a process died while holding the lock of a name', async () => {
    await vault.create(PENDING, 'x')
    await vault.create(APPROVED, 'y')
    await vault.remove(APPROVED)
    const { withNameLock } = await import('./name-lock.ts')
    const held = await withNameLock(join(root, 'Approved'), NAME, () => leftoversSync())
    const stale = join(root, 'Approved', held[0] ?? '')
    await writeFile(stale, '')
    await utimes(stale, new Date(0), new Date(0))
    expect(await vault.move(PENDING, APPROVED)).toBe('moved')
    expect(await leftovers('Approved')).toEqual([])
  })

  it.each([
    ['comes', APPROVED],
    ['goes', PENDING],
  ])('moves nothing while another holds the lock of the name that %s', async (_which, path) => {
    await vault.create(PENDING, 'x')
    await vault.create(APPROVED, 'y')
    const { withNameLock } = await import('./name-lock.ts')
    const folder = join(root, dirname(path))
    const [lock = ''] = await withNameLock(folder, NAME, () => leftoversSync(dirname(path)))
    await writeFile(join(folder, lock), '')
    let settled = false
    const moving = vault.move(PENDING, APPROVED).finally(() => {
      settled = true
    })
    for (let turn = 0; turn < 20; turn++) await vault.exists(PENDING)
    expect(settled).toBe(false)
    await unlink(join(folder, lock))
    expect(await moving).toBe('exists')
    expect(await leftovers('Approved')).toEqual([])
  })

  it('sweeps temporary files that a crash left long ago, and no others', async () => {
    await vault.create(APPROVED, 'x')
    const old = join(root, 'Approved/.tmp-0123')
    await writeFile(old, 'half')
    await utimes(old, new Date(0), new Date(0))
    await writeFile(join(root, 'Approved/.tmp-4567'), 'being written')
    await openVault(root, { isReader: true })
    expect(await leftovers('Approved')).toHaveLength(2)
    await openVault(root)
    expect(await leftovers('Approved')).toEqual(['.tmp-4567'])
  })
})

const leftoversSync = (folder = 'Approved') =>
  execFileSync('ls', ['-A', join(root, folder)], { encoding: 'utf8' })
    .split('\n')
    .filter((name) => name.startsWith('.tmp-'))

describe.each([
  ['events', {}],
  ['polling', { watch: { pollMs: 20 } }],
])('watching by %s', (_, options) => {
  it('calls back after a file appears, changes, moves between folders made for it, and is removed', async () => {
    const watched = await openVault(root, options)
    let calls = 0
    await using _watch = await watched.watch(['Approved', 'In_Progress'], () => calls++)
    for (const change of [
      () => vault.create(APPROVED, 'x'),
      () => vault.replace(APPROVED, 'longer'),
      () => vault.move(APPROVED, FROZEN),
      () => vault.remove(FROZEN),
    ]) {
      const before = calls
      await change()
      await vi.waitFor(() => expect(calls).toBeGreaterThan(before), { timeout: 5_000, interval: 10 })
    }
  }, 20_000)
})

describe('coalescing', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('calls once for a burst, 30 ms after its last event', () => {
    let calls = 0
    const ring = coalesce(() => calls++)
    for (let i = 0; i < 5; i++) {
      ring.request()
      vi.advanceTimersByTime(20)
    }
    expect(calls).toBe(0)
    vi.advanceTimersByTime(10)
    expect(calls).toBe(1)
  })

  it('calls every 300 ms while events never stop, and not after cancel', () => {
    let calls = 0
    const ring = coalesce(() => calls++)
    for (let i = 0; i < 32; i++) {
      ring.request()
      vi.advanceTimersByTime(20)
    }
    expect(calls).toBe(2)
    ring.cancel()
    vi.advanceTimersByTime(1_000)
    expect(calls).toBe(2)
  })
})
