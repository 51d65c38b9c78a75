import type { ResticOptions } from '#adapters/restic/restic.ts'
import { openResticKeys } from '#adapters/restic/restic-keys.ts'
import { CountersignError } from '#core/errors.ts'
import type { Lock } from './swap-secret.ts'

/** The backups of a zone, which two passwords can open at once. `file`: where the password stands; `.next` and `.before` beside it. */
export function backupLock(options: ResticOptions, file: string): Lock {
  const keys = openResticKeys(options)
  return {
    async accept() {
      if (await keys.idOf(`${file}.next`)) return
      await keys.add(file, `${file}.next`)
      if (!(await keys.idOf(`${file}.next`))) throw fault(`${options.target} does not take the new password`)
    },
    async refuse() {
      const old = await keys.idOf(`${file}.before`)
      if (old !== undefined) await keys.remove(file, old)
      if (await keys.idOf(`${file}.before`)) throw fault(`${options.target} still takes the old password`)
    },
  }
}

function fault(message: string): CountersignError {
  return new CountersignError('ERR_BACKUP_FAILED', message)
}
