import { type FakeServer, type Received, type Reply, startServer } from './server.ts'

export interface FakeBluesky extends FakeServer {
  readonly account: string
  /** Record key → record. */
  readonly records: Map<string, Record<string, unknown>>
  /** Set: what becomes of the answer to a record that was written. */
  afterPosting: Reply | undefined
  /** Set: how a record is answered instead of being written. */
  insteadOfPosting: Reply | undefined
}

const DID = 'did:plc:u5cwb2mwiv2bfq53cjufe6yn'

/** An atproto server with one account, as it is documented and as it behaves: a key that is taken is a 500. */
export async function startBluesky(password = 'app-password'): Promise<FakeBluesky> {
  const server = await startServer((request) => answer(request))
  const fake: FakeBluesky = Object.assign(server, {
    account: 'owner.bsky.example',
    records: new Map(),
    afterPosting: undefined,
    insteadOfPosting: undefined,
  })
  function answer({ path, query, headers, body }: Received): Reply {
    const call = path.replace('/xrpc/com.atproto.', '')
    const given = (body ?? {}) as Record<string, string> & { record: Record<string, unknown> }
    if (call === 'server.createSession') {
      return given.password === password && given.identifier === fake.account
        ? { status: 200, body: { did: DID, handle: fake.account, accessJwt: 'access', refreshJwt: 'refresh' } }
        : { status: 401, body: { error: 'AuthenticationRequired', message: 'Invalid identifier or password' } }
    }
    if (headers.authorization !== 'Bearer access')
      return { status: 400, body: { error: 'ExpiredToken', message: 'Token has expired' } }
    if (call === 'server.getSession') return { status: 200, body: { did: DID, handle: fake.account } }
    if (call === 'repo.getRecord') return getRecord(query.rkey ?? '')
    if (call === 'repo.createRecord') return createRecord(given.rkey ?? '', given.record)
    return { status: 501, body: { error: 'MethodNotImplemented', message: 'Method Not Implemented' } }
  }
  const uri = (rkey: string) => `at://${DID}/app.bsky.feed.post/${rkey}`
  function getRecord(rkey: string): Reply {
    const value = fake.records.get(rkey)
    if (value) return { status: 200, body: { uri: uri(rkey), cid: 'bafyrei', value } }
    return { status: 400, body: { error: 'RecordNotFound', message: `Could not locate record: ${uri(rkey)}` } }
  }
  function createRecord(rkey: string, record: Record<string, unknown>): Reply {
    if (fake.insteadOfPosting !== undefined) return fake.insteadOfPosting
    if (!/^[234567abcdefghij][234567a-z]{12}$/.test(rkey))
      return { status: 400, body: { error: 'InvalidRequest', message: 'Invalid record key' } }
    if (fake.records.has(rkey))
      return { status: 500, body: { error: 'InternalServerError', message: 'Internal Server Error' } }
    fake.records.set(rkey, record)
    return fake.afterPosting ?? { status: 200, body: { uri: uri(rkey), cid: 'bafyrei' } }
  }
  return fake
}
