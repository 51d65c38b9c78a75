import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { carry } from './carry.ts'
import type { Figures } from './figures.ts'
import { measureFirstClone } from './first-clone.ts'
import type { Lab } from './lab.ts'
import { measureServices } from './measure-services.ts'
import { isLate, type Part, type Plan } from './plan.ts'
import { plumbing } from './plumbing.ts'
import type { Shape } from './populate.ts'
import { porcelain } from './porcelain.ts'
import { sample } from './record.ts'
import { findSyncthing, type Syncthing, syncthingPair } from './syncthing.ts'
import { TRAVELLER, travellerText } from './vault-content.ts'
import { describe, git, openVaultWorld, seedZone, type VaultWorld, ZONE_NAMES } from './vault-world.ts'

const SLOW_SAMPLES = 8

/** Adds to `figures` as it goes, so that a run that is cut short has something to show. */
export async function measureAll(lab: Lab, plan: Plan, figures: Figures): Promise<void> {
  const peer = plan.parts.includes('peer') ? await findSyncthing(lab.say) : undefined
  figures.versions.push(...versions(), lab.redis.label, ...(peer ? [peer.label] : []))
  if (plan.parts.includes('peer') && !peer) figures.notes.push('no syncthing could be had: the peer was left out')
  for (const commits of plan.commits) {
    for (const files of plan.files) {
      const shape = { files, commits }
      if (isLate(plan)) figures.notes.push(`the time was up before ${describe(shape)}`)
      else await measureVault(lab, plan, shape, figures, commits === plan.commits[0] ? peer : undefined)
    }
  }
}

async function measureVault(lab: Lab, plan: Plan, shape: Shape, figures: Figures, peer?: Syncthing): Promise<void> {
  lab.say(`${describe(shape)}:`)
  await using world = await openVaultWorld(lab, shape)
  const wants = (part: Part) => plan.parts.includes(part) && !isLate(plan)
  if (plan.parts.some((part) => ['carry', 'far', 'idle', 'forks', 'burst'].includes(part)) || peer)
    for (const zone of ZONE_NAMES) await seedZone(world, zone)
  await measureServices(lab, plan, world, figures)
  if (wants('clone') && isCloned(plan, shape)) await measureFirstClone(lab, world, figures)
  if (wants('plumbing')) await measurePlumbing(lab, plan, world, figures)
  if (wants('porcelain')) {
    withoutHooks(world)
    using script = porcelain(world)
    const samples = Math.min(SLOW_SAMPLES, plan.samples)
    await sample(lab, figures, { shape, contender: 'plain script', samples, once: script.carry })
  }
  if (peer && wants('peer')) await measurePeer(lab, plan, peer, world, figures)
}

/** The first clone is measured where the history is the matter, not the number of files to be written. */
function isCloned({ files, commits }: Plan, shape: Shape): boolean {
  return shape.commits === commits.at(-1) && shape.files === (files.includes(10_000) ? 10_000 : files[0])
}

async function measurePlumbing(lab: Lab, plan: Plan, world: VaultWorld, figures: Figures): Promise<void> {
  const { shape } = world
  const { samples } = plan
  {
    using floor = plumbing(world, { isSigned: true })
    await sample(lab, figures, { shape, contender: 'plumbing with the gate', samples, once: floor.carry })
  }
  withoutHooks(world)
  using floor = plumbing(world, { isSigned: false })
  await sample(lab, figures, { shape, contender: 'plumbing without hooks', samples, once: floor.carry })
}

/** From here on this hub takes whatever it is given. */
function withoutHooks(world: VaultWorld): void {
  git(world.hub, ['config', 'core.hooksPath', '/dev/null'])
}

async function measurePeer(lab: Lab, plan: Plan, peer: Syncthing, world: VaultWorld, figures: Figures) {
  await using pair = await syncthingPair(lab, peer, join(world.home('local'), 'vault'), join(world.root, 'syncthing'))
  const samples = Math.min(SLOW_SAMPLES, plan.samples)
  const once = (mark: string) => carry(...pair.vaults, TRAVELLER, travellerText(mark), { signal: lab.signal })
  await sample(lab, figures, { shape: world.shape, contender: 'syncthing', samples, once })
}

function versions(): string[] {
  const ssh = execFileSync('sh', ['-c', 'ssh -V 2>&1'], { encoding: 'utf8' }).split(',')[0] ?? ''
  return [`Node ${process.version}`, execFileSync('git', ['--version'], { encoding: 'utf8' }).trim(), ssh]
}
