import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { repairClone } from '#adapters/git/repair-clone.ts'
import { openRepo, type RepoOptions } from '#adapters/git/repo.ts'
import { blobIdOf } from '#core/blob-id.ts'
import type { Oid } from '#core/ports/repo.ts'
import { commitFiles, makeZones, type Zones } from '#tests/support/git-zones.ts'

const PLAN = 'Plans/trip.md'
const LOST = 'refs/countersign/lost/local-20261120T100000Z-0a1b2c3d'
const NEVER_PUSHED = Buffer.from('written while the hub was away\n')

let zones: Zones
let template: { hub: string; gitDir: string; head: Oid }
beforeAll(async () => {
  zones = await makeZones()
  template = await makeTemplate()
})
afterAll(() => zones[Symbol.dispose]())

const optionsFor = (gitDir: string, hubUrl: string): RepoOptions => ({
  ...{ gitDir, hubUrl, agent: 'local', agents: zones.agents },
  signingKeyFile: join(zones.home('local'), 'keys', 'signing'),
})

/** A clone of two commits with a ref of its own to bytes that the hub does not have. */
async function makeTemplate(): Promise<typeof template> {
  const hub = join(zones.root, 'template-hub.git')
  // Without its hooks: this is not about the gate.
  execFileSync('git', ['init', '-q', '--bare', '--initial-branch=main', hub])
  const options = optionsFor(join(zones.root, 'template', 'repo.git'), hub)
  await using repo = await openRepo(options)
  const first = await commitFiles(repo, null, { [PLAN]: 'one\n', 'Plans/other.md': 'other\n' })
  expect(await repo.push({ commit: first, expected: null })).toEqual({ kind: 'landed' })
  const head = await commitFiles(repo, first, { [PLAN]: 'two\n' })
  expect(await repo.push({ commit: head, expected: first })).toEqual({ kind: 'landed' })
  await repo.fetch()
  await repo.saveRef('verified', head)
  const lost = await repo.writeBlob(NEVER_PUSHED)
  git(options.gitDir, 'update-ref', LOST, lost)
  return { hub, gitDir: options.gitDir, head }
}

async function makeClone() {
  const folder = mkdtempSync(join(zones.root, 'state-'))
  const [hub, gitDir] = [join(folder, 'hub.git'), join(folder, 'repo.git')]
  cpSync(template.hub, hub, { recursive: true })
  cpSync(template.gitDir, gitDir, { recursive: true })
  return { options: optionsFor(gitDir, hub), head: template.head, hub, asideDir: join(folder, 'damaged') }
}

function git(gitDir: string, ...args: string[]): string {
  return execFileSync('git', ['--git-dir', gitDir, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim()
}

const repair = ({ options, asideDir }: Awaited<ReturnType<typeof makeClone>>, vault: readonly Uint8Array[] = []) =>
  repairClone({
    ...options,
    asideDir,
    findInVault: async (wanted) => vault.filter((bytes) => wanted.has(blobIdOf(bytes))),
  })

const objectFile = (gitDir: string, oid: string) => join(gitDir, 'objects', oid.slice(0, 2), oid.slice(2))
const damage = (file: string) => {
  mkdirSync(dirname(file), { recursive: true })
  rmSync(file, { force: true })
  writeFileSync(file, 'damaged')
}
const packsOf = (gitDir: string, ending: string) =>
  readdirSync(join(gitDir, 'objects', 'pack'))
    .filter((name) => name.endsWith(ending))
    .map((name) => join(gitDir, 'objects', 'pack', name))

/** Each leaves a clone that git alone does not mend. */
const DAMAGES: [what: string, act: (gitDir: string, head: Oid) => void, check: string][] = [
  ['nothing at all', () => {}, ''],
  ['a deleted clone', (dir) => rmSync(dir, { recursive: true }), 'clone'],
  [
    'a file in its place',
    (dir) => {
      rmSync(dir, { recursive: true })
      writeFileSync(dir, '')
    },
    'clone',
  ],
  ['an empty HEAD', (dir) => truncateSync(join(dir, 'HEAD')), ''],
  ['a damaged configuration', (dir) => damage(join(dir, 'config')), ''],
  ['a damaged lock file of ours', (dir) => damage(join(dir, 'countersign-lock.sqlite')), ''],
  ['a damaged private index', (dir) => damage(join(dir, 'countersign-index')), ''],
  [
    'locks left everywhere',
    (dir) => {
      for (const name of [
        'HEAD.lock',
        'config.lock',
        'packed-refs.lock',
        'countersign-index.lock',
        'refs/heads/main.lock',
        'refs/countersign/hub.lock',
        'refs/countersign/lost/x.lock',
        'objects/maintenance.lock',
        'objects/info/commit-graph.lock',
      ]) {
        mkdirSync(dirname(join(dir, name)), { recursive: true })
        writeFileSync(join(dir, name), '')
      }
    },
    'locks',
  ],
  [
    'what a killed fetch leaves',
    (dir) => {
      mkdirSync(join(dir, 'objects/tmp_objdir-incoming-abc/pack'), { recursive: true })
      writeFileSync(join(dir, 'objects/tmp_objdir-incoming-abc/pack/tmp_pack_1'), 'half')
      mkdirSync(join(dir, 'objects/pack'), { recursive: true })
      writeFileSync(join(dir, 'objects/pack/tmp_pack_abc'), 'half')
      mkdirSync(join(dir, 'objects/00'), { recursive: true })
      writeFileSync(join(dir, 'objects/00/tmp_obj_abc'), 'half')
    },
    'leftovers',
  ],
  ['an empty ref', (dir) => truncateSync(join(dir, 'refs/countersign/verified')), 'refs'],
  [
    'damaged packed refs',
    (dir) => {
      git(dir, 'pack-refs', '--all')
      damage(join(dir, 'packed-refs'))
    },
    'refs',
  ],
  ['a damaged blob', (dir, head) => damage(objectFile(dir, git(dir, 'rev-parse', `${head}:${PLAN}`))), 'objects'],
  ['a damaged tree', (dir, head) => damage(objectFile(dir, git(dir, 'rev-parse', `${head}^{tree}`))), 'objects'],
  ['a damaged commit', (dir, head) => damage(objectFile(dir, head)), 'objects'],
  ['an empty object', (dir, head) => truncateSync(objectFile(dir, head)), 'objects'],
  ['a missing object', (dir, head) => rmSync(objectFile(dir, git(dir, 'rev-parse', `${head}~1`))), 'objects'],
  [
    'a half-written pack',
    (dir) => {
      git(dir, 'repack', '-q', '-a', '-d')
      const [pack = ''] = packsOf(dir, '.pack')
      // As a bit that rotted on the disk: nothing checks it until it is read.
      truncateSync(pack, Math.floor(statSync(pack).size / 2))
    },
    'objects',
  ],
  [
    'a pack without its index',
    (dir) => {
      git(dir, 'repack', '-q', '-a', '-d')
      for (const file of packsOf(dir, '.idx')) rmSync(file)
    },
    'objects',
  ],
  [
    'an index without its pack',
    (dir) => {
      git(dir, 'repack', '-q', '-a', '-d')
      for (const file of packsOf(dir, '.pack')) rmSync(file)
    },
    'objects',
  ],
  [
    'a file where the objects were',
    (dir) => {
      rmSync(join(dir, 'objects'), { recursive: true })
      damage(join(dir, 'objects'))
    },
    'objects',
  ],
]

describe('repairing a clone', () => {
  it.each(DAMAGES)('mends %s, and git and we can work with it again', async (what, act, check) => {
    const clone = await makeClone()
    act(clone.options.gitDir, clone.head)
    const findings = await repair(clone, [NEVER_PUSHED])
    expect(findings.filter(({ result }) => result === 'failed')).toEqual([])
    const repaired = findings.filter(({ result }) => result === 'repaired').map((one) => one.check)
    if (check === '') expect(repaired).toEqual([])
    else expect(repaired).toContain(check)
    // A new clone is the last resort: it loses what the hub does not have.
    const isAnew = findings.some(({ found }) => found.includes('cloned anew'))
    expect(isAnew).toBe(what === 'a file where the objects were')
    await using repo = await openRepo(clone.options)
    expect(await repo.fetch()).toEqual({ kind: 'ok', head: clone.head })
    expect([...(await repo.treeOf(clone.head)).keys()].sort()).toEqual(['Plans/other.md', PLAN])
    const next = await commitFiles(repo, clone.head, { [PLAN]: 'three\n' })
    expect(await repo.push({ commit: next, expected: clone.head })).toEqual({ kind: 'landed' })
    expect(git(clone.options.gitDir, 'fsck', '--full', '--no-dangling')).toBe('')
    await expect(repair(clone)).rejects.toMatchObject({ code: 'ERR_CLONE_IN_USE' })
  })

  it('is wanted: a damaged clone says so, and does not blame the hub', async () => {
    const clone = await makeClone()
    const { gitDir } = clone.options
    const other = join(dirname(gitDir), 'other.git')
    cpSync(gitDir, other, { recursive: true })
    await using elsewhere = await openRepo({ ...clone.options, gitDir: other })
    const news = await commitFiles(elsewhere, clone.head, { [PLAN]: 'three\n' })
    expect(await elsewhere.push({ commit: news, expected: clone.head })).toEqual({ kind: 'landed' })
    await using repo = await openRepo(clone.options)
    const mine = await commitFiles(repo, clone.head, { 'Plans/mine.md': 'mine\n' })
    damage(objectFile(gitDir, git(gitDir, 'rev-parse', `${clone.head}^{tree}`)))
    const damaged = { code: 'ERR_GIT_FAILED', details: { damaged: true } }
    await expect(repo.fetch()).rejects.toMatchObject(damaged)
    git(clone.hub, 'update-ref', 'refs/heads/main', clone.head)
    await expect(repo.push({ commit: mine, expected: clone.head })).rejects.toMatchObject(damaged)
  })

  it('finds in the clone exactly the bytes that were to be kept', async () => {
    const { options } = await makeClone()
    const kept = () => git(options.gitDir, 'for-each-ref', '--format=%(refname) %(objecttype)', 'refs/countersign/lost')
    await using repo = await openRepo(options)
    const blob = await repo.writeBlob(Buffer.from('lost\n'))
    await repo.keepBlobs(new Map([['cloud-20261120T100000Z-0a1b2c3d', blob]]))
    expect(kept()).toBe('refs/countersign/lost/cloud-20261120T100000Z-0a1b2c3d blob')
    await repo.keepBlobs(new Map())
    expect(kept()).toBe('')
    await expect(repo.keepBlobs(new Map([['../../heads/main', blob]]))).rejects.toMatchObject({
      code: 'ERR_GIT_FAILED',
    })
  })

  it('says that all is well the second time', async () => {
    const clone = await makeClone()
    damage(objectFile(clone.options.gitDir, clone.head))
    await repair(clone)
    expect((await repair(clone)).filter(({ result }) => result !== 'ok')).toEqual([])
  })

  it('keeps what it puts aside, to be looked at', async () => {
    const clone = await makeClone()
    damage(objectFile(clone.options.gitDir, clone.head))
    await repair(clone)
    const [name = ''] = readdirSync(clone.asideDir)
    expect(readFileSync(join(clone.asideDir, name), 'utf8')).toBe('damaged')
  })

  it('writes what was never pushed again from the vault, and drops it only where nobody has it', async () => {
    const clone = await makeClone()
    const lost = blobIdOf(NEVER_PUSHED)
    damage(objectFile(clone.options.gitDir, lost))
    await repair(clone, [NEVER_PUSHED])
    expect(git(clone.options.gitDir, 'cat-file', 'blob', lost)).toBe(NEVER_PUSHED.toString().trim())
    damage(objectFile(clone.options.gitDir, lost))
    expect((await repair(clone)).some(({ result }) => result === 'failed')).toBe(false)
    expect(git(clone.options.gitDir, 'for-each-ref', 'refs/countersign/lost')).toBe('')
  })

  it('waits for a hub that is away, and mends the clone when it answers', async () => {
    const clone = await makeClone()
    damage(objectFile(clone.options.gitDir, clone.head))
    renameSync(clone.hub, `${clone.hub}.away`)
    expect(await repair(clone)).toContainEqual(
      expect.objectContaining({
        check: 'objects',
        result: 'failed',
        found: expect.stringContaining('could not be asked'),
      }),
    )
    renameSync(`${clone.hub}.away`, clone.hub)
    expect((await repair(clone)).some(({ result }) => result === 'failed')).toBe(false)
    await using repo = await openRepo(clone.options)
    expect((await repo.treeOf(clone.head)).size).toBe(2)
  })

  it('clones anew when the hub lacks what was verified here, and keeps the old clone', async () => {
    const clone = await makeClone()
    const { gitDir } = clone.options
    git(clone.hub, 'update-ref', 'refs/heads/main', git(gitDir, 'rev-parse', `${clone.head}~1`))
    damage(objectFile(gitDir, git(gitDir, 'rev-parse', `${clone.head}^{tree}`)))
    git(clone.hub, 'reflog', 'expire', '--expire=now', '--all')
    git(clone.hub, 'prune', '--expire=now')
    const findings = await repair(clone, [NEVER_PUSHED])
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'objects', result: 'repaired', found: expect.stringContaining('cloned anew') }),
    )
    expect(existsSync(join(clone.asideDir, 'repo.git', 'HEAD'))).toBe(true)
    expect(git(gitDir, 'cat-file', 'blob', LOST)).toBe(NEVER_PUSHED.toString().trim())
    expect(git(gitDir, 'fsck', '--full', '--no-dangling')).toBe('')
  })
})
