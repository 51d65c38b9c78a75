import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Carried, writeWhole } from './carry.ts'
import { type RemoteGit, remoteGit } from './remote-git.ts'
import { TRAVELLER, travellerText } from './vault-content.ts'
import { git, type VaultWorld, ZONE_NAMES, type ZoneName } from './vault-world.ts'

const FETCH = ['fetch', '-q', '--no-tags', '--no-recurse-submodules', '--no-auto-maintenance', '--no-write-fetch-head']
const FOLDERS = [
  '',
  ...TRAVELLER.split('/')
    .slice(0, -1)
    .map((_, index, parts) => parts.slice(0, index + 1).join('/')),
]

/**
 * The floor: what git's own plumbing needs for one changed file whose path is known, without watching, waiting or
 * verifying. A: hash-object, a mktree for each folder above the file, commit-tree, push. B is told at once: fetch,
 * diff-tree, cat-file, one rename. With `isSigned`, commits are signed as the hub's gate demands.
 */
export function plumbing(
  world: VaultWorld,
  { isSigned, url = world.ssh.url }: { readonly isSigned: boolean; readonly url?: string },
): { carry(mark: string): Carried } & Disposable {
  const root = join(world.root, 'plumbing')
  const sides = ZONE_NAMES.map((zone) => openSide(world, root, zone)) as [Side, Side]
  const [a, b] = sides
  const trees = new Map(FOLDERS.map((folder) => [folder, treeOf(a, world.head(), folder)]))
  let parent = world.head()
  return {
    carry(mark) {
      const file = join(a.files, TRAVELLER)
      const startedAt = performance.now()
      writeWhole(file, travellerText(mark))
      let oid = text(a.git(['hash-object', '-w', '--no-filters', file]))
      let name = TRAVELLER
      for (const folder of FOLDERS.toReversed()) {
        const listing = replaced(trees.get(folder) ?? '', name.slice(name.lastIndexOf('/') + 1), oid)
        trees.set(folder, listing)
        oid = text(a.git(['mktree'], listing))
        name = folder
      }
      const signing = isSigned ? ['-S'] : []
      const commit = text(a.git(['commit-tree', ...signing, '-p', parent, '-m', `sync ${mark}`, oid]))
      a.git(['push', '-q', url, `${commit}:refs/heads/main`])
      receive(b, url, parent)
      parent = commit
      return { toDiskMs: performance.now() - startedAt }
    },
    [Symbol.dispose]() {
      for (const side of sides) side.git[Symbol.dispose]()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

interface Side {
  readonly git: RemoteGit
  readonly files: string
}

function openSide(world: VaultWorld, root: string, zone: ZoneName): Side {
  const gitDir = join(root, zone, 'repo.git')
  const files = join(root, zone, 'files')
  mkdirSync(dirname(join(files, TRAVELLER)), { recursive: true })
  git(world.root, ['init', '-q', '--bare', gitDir])
  cpSync(join(world.hub, 'objects'), join(gitDir, 'objects'), { recursive: true })
  git(gitDir, ['update-ref', 'refs/heads/hub', world.head()])
  const env = { GIT_DIR: gitDir, ...signer(world, zone) }
  return { git: remoteGit(world, zone, files, env), files }
}

/** Git's settings by environment: nothing of the machine's own has a say. */
function signer(world: VaultWorld, zone: ZoneName): Record<string, string> {
  const settings = { 'gpg.format': 'ssh', 'user.signingKey': join(world.home(zone), 'keys/signing') }
  const pairs = Object.entries(settings).flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key] as const,
    [`GIT_CONFIG_VALUE_${index}`, value] as const,
  ])
  const who = ['AUTHOR', 'COMMITTER'].flatMap((role) => [
    [`GIT_${role}_NAME`, zone] as const,
    [`GIT_${role}_EMAIL`, `${zone}@countersign.invalid`] as const,
  ])
  return { GIT_CONFIG_COUNT: String(Object.keys(settings).length), ...Object.fromEntries([...pairs, ...who]) }
}

function receive(b: Side, url: string, before: string): void {
  b.git([...FETCH, url, '+refs/heads/main:refs/heads/hub'])
  const [meta = '', path = ''] = b.git(['diff-tree', '-r', '-z', before, 'refs/heads/hub']).toString().split('\0')
  const bytes = b.git(['cat-file', 'blob', meta.split(' ')[3] ?? ''])
  writeWhole(join(b.files, path), bytes.toString())
  if (readFileSync(join(b.files, path), 'utf8').length !== bytes.length) throw new Error(`${path} did not arrive whole`)
}

function treeOf(side: Side, commit: string, folder: string): string {
  return side.git(['ls-tree', folder === '' ? commit : `${commit}:${folder}`]).toString()
}

function replaced(listing: string, name: string, oid: string): string {
  const lines = listing.split('\n')
  const at = lines.findIndex((line) => line.endsWith(`\t${name}`))
  lines[at] = (lines[at] ?? '').replace(/[0-9a-f]{40}/, oid)
  return lines.join('\n')
}

function text(bytes: Buffer): string {
  return bytes.toString().trim()
}
