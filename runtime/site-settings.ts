import { z } from 'zod'
import { setting } from './settings.ts'

/** Up to 20 texts of this form, separated by commas. */
function list(expected: string, form: RegExp, fallback = '') {
  return z
    .string(expected)
    .optional()
    .transform((given) => (given ?? fallback).split(',').flatMap((one) => one.trim() || []))
    .refine((all) => all.length <= 20 && all.every((one) => form.test(one)), expected)
}

/** Several host names of this form. */
export function hostList(form: RegExp): z.ZodType<string[], string | undefined> {
  return list('expected host names, separated by commas', form)
}

/** Public sites of the owner whose certificates are to be looked at. */
export const certificateSites = setting(
  'COUNTERSIGN_CERTIFICATE_SITES',
  hostList(/^(?=.{1,40}$)[a-z0-9-]+(\.[a-z0-9-]+)+$/),
)

/** Several `host:port`; host names are lower-cased. */
export function placeList(fallback?: string): z.ZodType<{ host: string; port: number }[], string | undefined> {
  return list('expected host:port, separated by commas', /^[a-z0-9_.-]{1,253}:[1-9]\d{0,4}$/i, fallback).transform(
    (all) => all.map((one) => ({ host: one.replace(/:.*/, '').toLowerCase(), port: Number(one.replace(/.*:/, '')) })),
  )
}

/** What `countersign prove` tries to reach past the way out: places that a machine with internet reaches. */
export const proofSettings = { outside: setting('COUNTERSIGN_PROVE_OUTSIDE', placeList('1.1.1.1:443,9.9.9.9:443')) }
