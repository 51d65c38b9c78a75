import { z } from 'zod'
import type { ConfigOf } from '#runtime/config.ts'
import { milliseconds, optional, processSettings, secretFile, setting, zoneSettings } from '#runtime/settings.ts'

const EXPECTED = 'expected name=http://host:port, separated by commas'

export type Target = { readonly name: string; readonly url: string }

const targets = z
  .string(EXPECTED)
  .transform((text) =>
    text.split(',').map((one) => /^([a-z][a-z0-9-]{0,30})=(https?:\/\/[^\s/]+)\/?$/.exec(one.trim())),
  )
  .refine((matches) => matches.every((match) => match !== null), EXPECTED)
  .transform((matches) => matches.map((match): Target => ({ name: match?.[1] ?? '', url: match?.[2] ?? '' })))

const SITES = 'expected host names, separated by commas'
const sites = z
  .string(SITES)
  .optional()
  .transform((text) => (text ?? '').split(',').flatMap((one) => one.trim() || []))
  .refine(
    (hosts) => hosts.length <= 20 && hosts.every((host) => /^(?=.{1,40}$)[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host)),
    SITES,
  )

/** Settings of the health service. */
export const healthSettings = {
  ...processSettings,
  vault: zoneSettings.vault,
  state: zoneSettings.state,
  targets: setting('COUNTERSIGN_HEALTH_TARGETS', targets as z.ZodType<Target[], string | undefined>),
  /** Public sites of the owner whose certificates are to be looked at. */
  sites: setting('COUNTERSIGN_CERTIFICATE_SITES', sites as z.ZodType<string[], string | undefined>),
  /** Whose address is a secret: who knows it can keep it quiet. */
  deadmanUrl: setting('COUNTERSIGN_DEADMAN_URL_FILE', optional(secretFile())),
  pollMs: setting('COUNTERSIGN_HEALTH_POLL_MS', milliseconds(2_000)),
}
export type HealthConfig = ConfigOf<typeof healthSettings>
