import { CountersignError } from '#core/errors.ts'
import type { Start } from '#runtime/service.ts'

const DISK = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO']
/** SQLite's codes for an I/O error, a full and a read-only disk. */
const DATABASE = [10, 13, 8]

/**
 * A disk that is full, read-only or failing is no fault of the program: it passes, or a person sees to it. Anything else
 * is given back as it is.
 */
export function asDiskFault(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CountersignError) return error
  const isDisk = 'code' in error && DISK.includes(String(error.code))
  const isDatabase = 'errcode' in error && DATABASE.includes(Number(error.errcode) & 0xff)
  if (!isDisk && !isDatabase) return error
  return new CountersignError('ERR_STATE_WRITE_FAILED', `writing the zone's state: ${error.message}`, { cause: error })
}

/** A start that such a disk keeps from succeeding is tried again, and `/readyz` says why. */
export function retriedOnDiskFault(start: Start): Start {
  return (service) =>
    start(service).catch((error: unknown) => {
      throw asDiskFault(error)
    })
}
