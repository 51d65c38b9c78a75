import { createHash, timingSafeEqual } from 'node:crypto'

/** What of a request decides whether it is answered. */
export interface Asked {
  readonly method: string
  readonly host: string | undefined
  readonly authorization: string | undefined
}

export interface Refusal {
  readonly status: 401 | 405 | 421
  readonly say: string
  readonly headers: Readonly<Record<string, string>>
}

/** The user's name is no secret, and there is one user only. */
const USER = 'owner'
/** This machine by its own names. Any other name was pointed here by someone else, to make a browser talk to the board. */
const THIS_MACHINE = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i

/** Why the board does not answer; undefined when it does: to its owner, on this machine, who only looks. */
export function refusalOf({ method, host, authorization }: Asked, password: string): Refusal | undefined {
  if (!THIS_MACHINE.test(host ?? ''))
    return { status: 421, say: 'The board answers to localhost and to no other name.', headers: {} }
  if (!isOwner(authorization, password)) {
    const headers = { 'www-authenticate': 'Basic realm="Countersign: queues", charset="UTF-8"' }
    return { status: 401, say: `User ${USER}, and the password in secrets/board-password.`, headers }
  }
  if (method !== 'GET' && method !== 'HEAD')
    return { status: 405, say: 'The board shows queues and changes nothing.', headers: { allow: 'GET, HEAD' } }
  return undefined
}

/** Takes as long for a password that is wrong at its end as for one that is wrong at its beginning. */
function isOwner(authorization = '', password: string): boolean {
  const [, given = ''] = /^Basic ([A-Za-z0-9+/=]{1,400})$/i.exec(authorization) ?? []
  const wanted = Buffer.from(`${USER}:${password}`)
  return timingSafeEqual(digest(Buffer.from(given, 'base64')), digest(wanted))
}

function digest(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}
