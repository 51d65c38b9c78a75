import { existsSync } from 'node:fs'
import { readAgents } from '#adapters/keys/trust-files.ts'
import { CountersignError } from '#core/errors.ts'
import { isRotated, sameAgent } from '#core/trust.ts'
import { faultsOfGiven } from '#runtime/config.ts'
import { contradictions } from '#runtime/config-rules.ts'
import { PROGRAM } from '../cli.ts'
import { ROOM_TO_BEGIN, roomAt, sayBytes } from '../doctor-disk.ts'
import { allSettings } from '../service-settings.ts'
import { homeLayout, openZoneHome, type ZoneHome } from '../zone-home.ts'
import type { InitPlan } from './init-zone.ts'

/**
 * Everything wrong with what `init` was told, one line each: the settings by the very schemas that the zone's services
 * start with, together with what the home already says. What is missing is no fault, a later run can complete it.
 */
export async function planFaults(plan: InitPlan): Promise<string[]> {
  const layout = homeLayout(plan.root, plan.zone)
  const other = plan.zone === 'cloud' ? 'local' : 'cloud'
  // Nothing else can be judged by the other zone's rules.
  if (existsSync(homeLayout(plan.root, other).envFile)) return [`${layout.root}: that is the home of the ${other} zone`]
  const given = (await allSettings(plan.zone)).flatMap((shape) => faultsOfGiven(shape, plan.settings))
  const standing = existsSync(layout.envFile) ? (await openZoneHome(plan.root)).settings : {}
  const before = new Set(contradictions({ COUNTERSIGN_ZONE: plan.zone, ...standing }))
  // What stands in the file is kept, so it is what counts.
  const together = contradictions({ COUNTERSIGN_ZONE: plan.zone, ...plan.settings, ...standing })
  return [
    ...new Set([
      ...given,
      ...together.filter((fault) => !before.has(fault)),
      ...(await pairFaults(plan, layout)),
      ...hubHostFaults(plan.hubHost),
      ...(await roomFaults(layout.root)),
    ]),
  ].sort()
}

/** Throws ERR_CONFIG_INVALID with all faults, when there are any. */
export function refuseFaults(zone: string, faults: readonly string[]): void {
  if (faults.length === 0) return
  const lines = faults.map((fault) => `\n  ${fault}`).join('')
  throw new CountersignError('ERR_CONFIG_INVALID', `init ${zone}, nothing was written:${lines}`, {
    details: { faults },
  })
}

async function pairFaults(plan: InitPlan, layout: ZoneHome): Promise<string[]> {
  const agent = plan.pair?.agent
  if (!agent) return []
  if (agent.zone === plan.zone)
    return [
      `--pair: agent ${agent.name} belongs to the ${plan.zone} zone, too: give what init shows on the other machine`,
    ]
  const trusted = await readAgents(layout.trust)
  const revoked = new Set(plan.pair?.revoked?.map((one) => one.signing))
  const old = plan.zone === 'cloud' ? trusted.filter((one) => revoked.has(one.signing)) : []
  if (old[0])
    return [
      `--pair: the local zone has revoked ${old[0].name}'s key: see "After a key was revoked" in docs/trust-gate.md`,
    ]
  const known = trusted.find((one) => one.name === agent.name)
  if (!known || sameAgent(known, agent)) return []
  if (plan.zone === 'cloud' && isRotated(known, agent, plan.pair?.retired ?? [])) return []
  return [
    `--pair: agent ${agent.name} is already trusted with other keys in ${layout.trust}/agents.json; if the ${agent.zone} zone was made anew: ${PROGRAM} --zone ${plan.zone} trust revoke ${agent.name}, then this again; if not, this is another zone’s code`,
  ]
}

/** A home of which half is there helps nobody. */
async function roomFaults(root: string): Promise<string[]> {
  const { free, files } = await roomAt(root)
  if (free >= ROOM_TO_BEGIN && files > ROOM_TO_BEGIN / 1e5) return []
  return [`${root}: ${sayBytes(free)} free on that disk; make room, or say --home <a folder on another>`]
}

/** What is wrong with a `--hub-host`; at most one line. */
export function hubHostFaults(hubHost: string | undefined): string[] {
  if (hubHost === undefined) return []
  const [, port] = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::(\d{1,5}))?$/.exec(hubHost) ?? [undefined, '0']
  if (/^(localhost|127\.[\d.]+)(:|$)/i.test(hubHost))
    return [
      `--hub-host: ${hubHost} leads every machine to itself; name this one as your own machine reaches it (both on one: host.docker.internal)`,
    ]
  if (port === undefined || (Number(port) >= 1 && Number(port) <= 65_535)) return []
  return [`--hub-host: expected host or host:port, such as vm.example.org:2222, got ${JSON.stringify(hubHost)}`]
}
