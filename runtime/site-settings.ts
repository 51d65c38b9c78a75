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

const PLACES = 'expected host:port, separated by commas'

/** Several `host:port`; host names are lower-cased. */
export function placeList(fallback = ''): z.ZodType<{ host: string; port: number }[], string | undefined> {
  return z
    .string(PLACES)
    .optional()
    .transform((given) => (given ?? fallback).split(',').flatMap((one) => one.trim() || []))
    .refine((all) => all.length <= 20 && all.every((one) => /^[a-z0-9_.-]{1,253}:[1-9]\d{0,4}$/i.test(one)), PLACES)
    .transform((all) =>
      all.map((one) => ({ host: one.replace(/:.*/, '').toLowerCase(), port: Number(one.replace(/.*:/, '')) })),
    ) as z.ZodType<{ host: string; port: number }[], string | undefined>
}

/** What `countersign prove` tries to reach past the way out: places that a machine with internet reaches. */
export const proofSettings = { outside: setting('COUNTERSIGN_PROVE_OUTSIDE', placeList('1.1.1.1:443,9.9.9.9:443')) }
