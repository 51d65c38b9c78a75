import { z } from 'zod'
import type { ConfigOf } from '#runtime/config.ts'
import {
  choice,
  milliseconds,
  optional,
  processSettings,
  secretFile,
  setting,
  zoneSettings,
} from '#runtime/settings.ts'
import { certificateSites, proofSettings } from '#runtime/site-settings.ts'

const EXPECTED = 'expected name=http://host:port, separated by commas'

export type Target = { readonly name: string; readonly url: string }

const targets = z
  .string(EXPECTED)
  .transform((text) =>
    text.split(',').map((one) => /^([a-z][a-z0-9-]{0,30})=(https?:\/\/[^\s/]+)\/?$/.exec(one.trim())),
  )
  .refine((matches) => matches.every((match) => match !== null), EXPECTED)
  .transform((matches) => matches.map((match): Target => ({ name: match?.[1] ?? '', url: match?.[2] ?? '' })))

/** Settings of the health service. */
export const healthSettings = {
  ...processSettings,
  ...proofSettings,
  vault: zoneSettings.vault,
  state: zoneSettings.state,
  targets: setting('COUNTERSIGN_HEALTH_TARGETS', targets as z.ZodType<Target[], string | undefined>),
  sites: certificateSites,
  /** Whose address is a secret: who knows it can keep it quiet. */
  deadmanUrl: setting('COUNTERSIGN_DEADMAN_URL_FILE', optional(secretFile())),
  /** Whether `countersign prove`, which lies beside this program in an image, runs each day. */
  prove: setting('COUNTERSIGN_PROVE', choice(['off', 'daily'], 'off')),
  pollMs: setting('COUNTERSIGN_HEALTH_POLL_MS', milliseconds(2_000)),
}
export type HealthConfig = ConfigOf<typeof healthSettings>
