import { type FakeServer, type Received, type Reply, startServer } from './server.ts'

export interface FakeMastodon extends FakeServer {
  readonly account: string
  readonly statuses: { id: string; text: string; created_at: string }[]
  readonly scheduled: { id: string; text: string; scheduled_at: string }[]
  /** Set: what becomes of the answer to a post that was made. */
  afterPosting: Reply | undefined
  /** Set: how a post is answered instead of being made. */
  insteadOfPosting: Reply | undefined
}

/** A Mastodon server with one account, as its API is documented: posting, keys against doubles, own posts, scheduling. */
export async function startMastodon(token = 'mastodon-token', now = () => Date.now()): Promise<FakeMastodon> {
  const keys = new Map<string, string>()
  const server = await startServer((request) => {
    if (request.path === '/api/v2/instance') return { status: 200, body: { domain: 'social.example' } }
    if (request.headers.authorization !== `Bearer ${token}`)
      return { status: 401, body: { error: 'The access token is invalid' } }
    return answer(request)
  })
  const fake: FakeMastodon = Object.assign(server, {
    account: '@owner@social.example',
    statuses: [],
    scheduled: [],
    afterPosting: undefined,
    insteadOfPosting: undefined,
  })
  function answer({ method, path, query, headers, body }: Received): Reply {
    if (path === '/api/v1/accounts/verify_credentials')
      return { status: 200, body: { id: '14715', username: 'owner', acct: 'owner' } }
    if (path === '/api/v1/accounts/14715/statuses')
      return { status: 200, body: fake.statuses.toReversed().slice(0, Number(query.limit)).map(shown) }
    if (path === '/api/v1/scheduled_statuses') return { status: 200, body: fake.scheduled.map(shownScheduled) }
    const source = fake.statuses.find((one) => path === `/api/v1/statuses/${one.id}/source`)
    if (source) return { status: 200, body: { id: source.id, text: source.text, spoiler_text: '' } }
    if (method === 'POST' && path === '/api/v1/statuses') return post(headers, body as Record<string, string>)
    return { status: 404, body: { error: 'Record not found' } }
  }
  function post(headers: Received['headers'], { status = '', scheduled_at }: Record<string, string>): Reply {
    if (fake.insteadOfPosting !== undefined) return fake.insteadOfPosting
    if (status === '') return { status: 422, body: { error: 'Validation failed: Text can\u2019t be blank' } }
    const key = String(headers['idempotency-key'])
    const known = fake.statuses.find((one) => one.id === keys.get(key))
    const id = String(100 + fake.statuses.length + fake.scheduled.length)
    if (!known && scheduled_at !== undefined) fake.scheduled.push({ id, text: status, scheduled_at })
    else if (!known) fake.statuses.push({ id, text: status, created_at: new Date(now()).toISOString() })
    keys.set(key, known?.id ?? id)
    const made = known ?? fake.statuses.at(-1)
    return (
      fake.afterPosting ?? { status: 200, body: scheduled_at ? { id, scheduled_at, params: {} } : made && shown(made) }
    )
  }
  return fake
}

function shown({ id, text, created_at }: FakeMastodon['statuses'][number]) {
  return { id, created_at, url: `https://social.example/@owner/${id}`, content: `<p>${text}</p>`, visibility: 'public' }
}

function shownScheduled({ id, text, scheduled_at }: FakeMastodon['scheduled'][number]) {
  return { id, scheduled_at, params: { text, visibility: 'public', idempotency: null }, media_attachments: [] }
}
