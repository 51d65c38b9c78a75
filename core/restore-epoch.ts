import { z } from 'zod'
import { minuteOf } from './minute.ts'

const schema = z.strictObject({
  schema: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{32}$/),
  at: z.iso.datetime(),
  backupOf: z.iso.datetime().nullable(),
})

/**
 * What a restore leaves in the zone's state: that what stands there is older than what was done. `id` tells one restore from
 * every other; `backupOf` is when the backup was made, null where nobody knows.
 */
export type RestoreMark = z.infer<typeof schema>

/** A restore as the journal remembers it. Times in ms since the epoch. */
export interface Restored {
  readonly at: number
  readonly backupOf: number | undefined
}

/** Undefined: the text is none. */
export function parseRestoreMark(text: string): RestoreMark | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** Whether something that began then may have been done in the time that the backup knows nothing of. */
export function isBeforeRestore(createdAt: number, { at }: Restored, now: number): boolean {
  // A date that lies ahead was written by somebody else, and is not believed.
  return createdAt <= at || createdAt > now
}

/** For the person: what happened to this machine. */
export function sayRestored({ at, backupOf }: Restored): string {
  const from = backupOf === undefined ? 'to an older state' : `from a backup of ${minuteOf(backupOf)}`
  return `This machine was restored on ${minuteOf(at)} ${from}.`
}

/** For the card of something that may have been done in between. */
export function sayLookFirst(restored: Restored): string {
  return `${sayRestored(restored)} What was done between the two is not known here: look whether this was, before you approve it.`
}

/** For something that had been approved before, and that nobody can tell whether it was done. */
export function sayApprovedBefore(restored: Restored): string {
  return `${sayRestored(restored)} You had approved this before; whether it was done in between is not known here.`
}
