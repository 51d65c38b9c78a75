import { CountersignError } from '#core/errors.ts'
import type { Lock } from './swap-secret.ts'
import type { ZoneServices } from './zone-services.ts'

/** As redis-start.sh writes it: known inside the container alone. */
const AS_KEEPER = 'REDISCLI_AUTH=$(cat /tmp/keeper) exec redis-cli --user keeper -x ACL SETUSER "$1"'
const AS_USER = 'REDISCLI_AUTH=$(cat) exec redis-cli --user "$1" PING 2>&1'

/** A user of the zone's Redis, which knows several passwords of one user: nobody is locked out at any moment. */
export function redisLock(services: ZoneServices, user: 'default' | 'watch' | 'board'): Lock {
  const set = async (rule: '>' | '<', password: string) => {
    const said = await services.exec('redis', ['sh', '-c', AS_KEEPER, 'sh', user], `${rule}${password}`)
    // It is content with one that it does not know, too.
    if (!/^OK$/m.test(said) && !/no such password|WRONGPASS.*remov/i.test(said)) throw refused(said)
  }
  const knows = async (password: string) =>
    /^(PONG|NOPERM)/m.test(await services.exec('redis', ['sh', '-c', AS_USER, 'sh', user], password).catch(said))
  return {
    async accept(fresh) {
      await set('>', passwordIn(fresh))
      if (!(await knows(passwordIn(fresh)))) throw refused('it does not take the new password')
    },
    async refuse(fresh, old) {
      if (!(await knows(passwordIn(fresh)))) await set('>', passwordIn(fresh))
      if (await knows(passwordIn(old))) await set('<', passwordIn(old))
      if (await knows(passwordIn(old))) throw refused('it still takes the old password')
    },
  }
}

/** The secret is the password alone, or JSON with the password as its one value. */
function passwordIn(secret: string): string {
  return secret.startsWith('{') ? String(Object.values(JSON.parse(secret) as object)[0]) : secret
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function refused(why: string): CountersignError {
  return new CountersignError(
    'ERR_REDIS_UNREACHABLE',
    `giving a user of Redis another password: ${why.trim().slice(0, 200)}`,
  )
}
