import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Carried, writeWhole } from './carry.ts'
import { type RemoteGit, remoteGit } from './remote-git.ts'
import { TRAVELLER, travellerText } from './vault-content.ts'
import { type VaultWorld, ZONE_NAMES, type ZoneName } from './vault-world.ts'

/**
 * What a script does: at A `git add -A`, `commit`, `pull --rebase`, `push`; then at B, told at once, `pull --rebase`. No
 * gate, no signature, and its merges are git's own.
 */
export function porcelain(world: VaultWorld): { carry(mark: string): Carried } & Disposable {
  const root = join(world.root, 'porcelain')
  const [a, b] = ZONE_NAMES.map((zone) => openSide(world, root, zone)) as [RemoteGit, RemoteGit]
  return {
    carry(mark) {
      const startedAt = performance.now()
      writeWhole(join(root, 'cloud', TRAVELLER), travellerText(mark))
      a(['add', '-A'])
      a(['commit', '-q', '-m', mark])
      a(['pull', '-q', '--rebase'])
      a(['push', '-q'])
      b(['pull', '-q', '--rebase'])
      const toDiskMs = performance.now() - startedAt
      if (readFileSync(join(root, 'local', TRAVELLER), 'utf8') !== travellerText(mark))
        throw new Error('the plain loop did not carry the file')
      return { toDiskMs }
    },
    [Symbol.dispose]() {
      a[Symbol.dispose]()
      b[Symbol.dispose]()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

function openSide(world: VaultWorld, root: string, zone: ZoneName): RemoteGit {
  const folder = join(root, zone)
  // Cloned from disk, which is quick; what is measured goes over ssh.
  execFileSync('git', ['clone', '-q', '--no-hardlinks', world.hub, folder])
  const settings = {
    'remote.origin.url': world.ssh.url,
    'user.name': zone,
    'user.email': `${zone}@countersign.invalid`,
    'gc.auto': '0',
  }
  for (const [key, value] of Object.entries(settings)) execFileSync('git', ['-C', folder, 'config', key, value])
  return remoteGit(world, zone, folder, {})
}
