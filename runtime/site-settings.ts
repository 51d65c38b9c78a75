import { z } from 'zod'
import { setting } from './settings.ts'

const SITES = 'expected host names, separated by commas'
const hostNames = z
  .string(SITES)
  .optional()
  .transform((text) => (text ?? '').split(',').flatMap((one) => one.trim() || []))
  .refine(
    (hosts) => hosts.length <= 20 && hosts.every((host) => /^(?=.{1,40}$)[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host)),
    SITES,
  ) as z.ZodType<string[], string | undefined>

/** Public sites of the owner whose certificates are to be looked at. */
export const certificateSites = setting('COUNTERSIGN_CERTIFICATE_SITES', hostNames)
