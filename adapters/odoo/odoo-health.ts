import { readJsonUpTo, sayNoAnswer } from '#core/http-answer.ts'
import type { OdooAccount } from './http.ts'

const LIMIT_MS = 5_000
const MAX_BYTES = 4_096

export interface OdooHealth {
  /** true, or what is wrong. */
  readonly found: true | string
  /** What the server's clock said, ms since the epoch, cut to the second; undefined: it said nothing. */
  readonly clock: number | undefined
}

/** Whether Odoo answers, and its database. As nobody: no key is sent. Never throws, and takes 5 s at most. */
export async function odooHealth({ url }: Pick<OdooAccount, 'url'>): Promise<OdooHealth> {
  try {
    // Without the question for the database it passes while PostgreSQL is down.
    const response = await fetch(new URL('/web/health?db_server_status=1', url), {
      headers: { accept: 'application/json', connection: 'close' },
      redirect: 'manual',
      signal: AbortSignal.timeout(LIMIT_MS),
    })
    const body = (await readJsonUpTo(response.body, MAX_BYTES)) as { status?: unknown } | undefined
    const date = Date.parse(response.headers.get('date') ?? '')
    const clock = Number.isFinite(date) ? date : undefined
    if (response.ok && body?.status === 'pass') return { found: true, clock }
    const what = body?.status === 'fail' ? 'its database is away' : `it answered ${response.status}, and is no Odoo`
    return { found: what, clock }
  } catch (error) {
    return { found: sayNoAnswer(error), clock: undefined }
  }
}

/** Asks now and every `everyMs` until disposed, and tells what was found; never twice at once. */
export function watchOdoo(
  account: Pick<OdooAccount, 'url'>,
  onLook: (health: OdooHealth, askedAt: number, answeredAt: number) => void,
  everyMs = 60_000,
): Disposable {
  const look = async () => {
    const askedAt = Date.now()
    onLook(await odooHealth(account), askedAt, Date.now())
  }
  void look()
  const timer = setInterval(() => void look(), everyMs)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
