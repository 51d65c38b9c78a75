import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { initHub } from '#adapters/git/hub.ts'
import { gitRunner } from '#adapters/git/run-git.ts'
import { readSigningKey } from '#adapters/git/ssh-signature.ts'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import { openWorkTree } from '#adapters/vault-fs/work-tree.ts'
import type { FileIdentity } from '#core/file-identity.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { VaultPath } from '#core/vault-path.ts'
import { makeZones, type Zones } from '#tests/support/git-zones.ts'
import { type SshHub, serveHub } from '#tests/support/sshd.ts'
import { NODE_FLAGS } from '../../demo/zone-processes.ts'
import type { Lab } from './lab.ts'
import { populate, type Shape } from './populate.ts'

/** A hub with a populated history behind its own sshd, and the homes of both zones. */
export interface VaultWorld extends AsyncDisposable {
  readonly shape: Shape
  readonly root: string
  readonly zones: Zones
  /** The hub's bare repository. */
  readonly hub: string
  readonly ssh: SshHub
  home(zone: ZoneName): string
  /** The hub's head now. */
  head(): string
}
export type ZoneName = 'cloud' | 'local'
export const ZONE_NAMES: readonly ZoneName[] = ['cloud', 'local']

export async function openVaultWorld(lab: Lab, shape: Shape): Promise<VaultWorld> {
  const startedAt = performance.now()
  await using opening = new AsyncDisposableStack()
  const zones = opening.use(await makeZones(lab.root))
  const { root, home, trustDir } = zones
  const hub = join(root, 'vault.git')
  await initHub({ dir: hub, trustDir, hookCommand: [process.execPath, lab.programs.gate] })
  await populate(hub, shape, await readSigningKey(join(home('local'), 'keys/signing')))
  const ssh = opening.use(await serveHub(zones, hub))
  const gate = `gate of ${hub}`
  await lab.supervisor.start({
    ...{ name: gate, logFile: join(root, 'gate.log'), tier: 0, drainMs: 5_000, env: lab.env },
    command: process.execPath,
    args: [...NODE_FLAGS, lab.programs.gate, 'stay', '--git-dir', hub, '--trust', trustDir],
  })
  opening.defer(() => lab.supervisor.stop(gate))
  lab.say(`  made ${describe(shape)} in ${seconds(startedAt)}`)
  const resources = opening.move()
  return {
    ...{ shape, root, zones, hub, ssh, home },
    head: () => git(hub, ['rev-parse', 'main']).trim(),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/**
 * Gives a zone what it would have after its first clone: the hub's objects, every file, and a memory of both. Cloning for
 * real, which checks and writes everything, is measured by itself.
 */
export async function seedZone(world: VaultWorld, zone: ZoneName): Promise<void> {
  const [vault, state] = ['vault', 'state'].map((name) => join(world.home(zone), name)) as [string, string]
  const gitDir = join(state, 'repo.git')
  for (const dir of [vault, gitDir]) mkdirSync(dir, { recursive: true })
  cpSync(join(world.hub, 'objects'), join(gitDir, 'objects'), { recursive: true })
  const head = world.head() as Oid
  await gitRunner(gitDir)(['init', '--bare', '--template=', '--initial-branch=main', gitDir])
  for (const ref of ['verified', 'hub']) git(gitDir, ['update-ref', `refs/countersign/${ref}`, head])
  execFileSync('sh', ['-c', 'git --git-dir "$1" archive "$2" | tar -x -C "$3"', 'sh', gitDir, head, vault])
  const found = new Map<VaultPath, FileIdentity>()
  for await (const { files } of openWorkTree(vault).list()) for (const [path, one] of files) found.set(path, one)
  const base = blobsOf(gitDir, head).map(([path, oid]) => [path, { oid, identity: found.get(path) ?? null }] as const)
  using store = openSyncStore(join(state, 'sync.sqlite'))
  store.update({ base, facts: { verified: head, anchored: head, based: 'yes' } })
}

export function describe({ files, commits }: Shape): string {
  return `${files.toLocaleString('en')} files, ${commits.toLocaleString('en')} commits`
}

export function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}

export function git(gitDir: string, args: readonly string[]): string {
  return execFileSync('git', ['--git-dir', gitDir, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 })
}

function blobsOf(gitDir: string, head: string): [VaultPath, Oid][] {
  const lines = git(gitDir, ['ls-tree', '-r', '-z', head]).split('\0').filter(Boolean)
  return lines.map((line) => [line.slice(line.indexOf('\t') + 1) as VaultPath, line.slice(12, 52) as Oid])
}
