import { createHash } from 'node:crypto'
import type { Oid } from './ports/repo.ts'

/** The id git gives to these bytes, without asking git. */
export function blobIdOf(bytes: Uint8Array): Oid {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex') as Oid
}
