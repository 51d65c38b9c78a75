import { CountersignError } from '#core/errors.ts'
import type { Lock } from './swap-secret.ts'
import type { ZoneServices } from './zone-services.ts'

const AS_SUPERUSER = ['psql', '-q', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', 'postgres']
/** By its address in the network: from 127.0.0.1 nobody is asked for a password. */
const AS_ODOO =
  'PGPASSWORD=$(cat) exec psql -q -h "$(hostname -i | cut -d" " -f1)" -U odoo -d postgres -c "SELECT 1" >/dev/null'

/** Odoo's role in its database, which has one password: what is connected stays so, and Odoo is started anew. */
export function odooDbLock(services: ZoneServices): Lock {
  const knows = (password: string) =>
    services.exec('odoo-db', ['bash', '-c', AS_ODOO], password).then(
      () => true,
      () => false,
    )
  return {
    async accept(fresh) {
      if (!/^[\w-]+$/.test(fresh)) throw fault('the new password is not one of ours')
      await services.exec('odoo-db', AS_SUPERUSER, `ALTER ROLE odoo PASSWORD '${fresh}';\n`)
      if (!(await knows(fresh))) throw fault('it does not take the new password')
    },
    async refuse(_fresh, old) {
      if (await knows(old)) throw fault('it still takes the old password')
    },
  }
}

function fault(why: string): CountersignError {
  return new CountersignError('ERR_NOT_RUNNING', `giving Odoo’s database another password: ${why}`)
}
