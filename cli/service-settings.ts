import type { Zone } from '#core/zone-policy.ts'
import type { ConfigShape } from '#runtime/config.ts'

/** Each service's own settings; the executor's stay out of the cloud's image. */
const SERVICE_SETTINGS: Record<Zone, readonly (() => Promise<ConfigShape>)[]> = {
  cloud: [
    async () => (await import('#services/triage/config.ts')).triageSettings,
    async () => (await import('#services/drafter/config.ts')).drafterSettings,
    async () => (await import('#services/sync/config.ts')).syncSettings,
  ],
  local: [
    async () => (await import('#services/sync/config.ts')).syncSettings,
    async () => (await import('#services/executor/config.ts')).executorSettings,
  ],
}

/** What the zone's other processes read, besides what Compose tells them. */
const FURTHER_SETTINGS: readonly (() => Promise<ConfigShape>)[] = [
  async () => (await import('#services/egress/config.ts')).egressSettings,
  async () => (await import('#services/health/config.ts')).healthSettings,
]

/** Everything that can stand in the zone's settings file. */
export async function allSettings(zone: Zone): Promise<ConfigShape[]> {
  return [...(await serviceSettings(zone)), ...(await Promise.all(FURTHER_SETTINGS.map((load) => load())))]
}

/** What the zone's services read from their environment, a shape a service. */
export function serviceSettings(zone: Zone): Promise<ConfigShape[]> {
  return Promise.all(SERVICE_SETTINGS[zone].map((load) => load()))
}
