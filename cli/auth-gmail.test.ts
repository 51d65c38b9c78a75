import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GMAIL_SCOPES } from '#adapters/gmail/gmail-scopes.ts'
import { type GmailEmulator, startGmailEmulator } from '#tests/support/gmail-emulator.ts'
import { type AuthOptions, authoriseGmail } from './auth-gmail.ts'
import { openZoneHome } from './zone-home.ts'
import { knownSecrets } from './zone-secrets.ts'

const OWNER = 'owner@gmail.test'

let gmail: GmailEmulator
let root: string
let clientFile: string
beforeEach(async () => {
  gmail = await startGmailEmulator(OWNER)
  root = mkdtempSync(join(tmpdir(), 'auth-gmail-'))
  clientFile = join(root, 'client_secret.json')
  writeFileSync(clientFile, JSON.stringify({ installed: { client_id: 'id', client_secret: 'the-client-secret-1' } }))
})
afterEach(async () => {
  await gmail[Symbol.asyncDispose]()
  rmSync(root, { recursive: true })
})

function homeOf(zone: 'cloud' | 'local', owner = OWNER) {
  const home = join(root, zone)
  mkdirSync(join(home, 'secrets'), { recursive: true })
  mkdirSync(join(home, 'keys'), { recursive: true })
  writeFileSync(join(home, `.env.${zone}`), `COUNTERSIGN_OWNER_ADDRESS=${owner}\nCOUNTERSIGN_GMAIL_URL=${gmail.url}\n`)
  return openZoneHome(home)
}

/** A person who agrees; gives the address that the browser is sent to. */
async function agree(url: string, changes: Record<string, string> = {}): Promise<string> {
  const asked = new URL(url)
  expect((await fetch(asked)).ok).toBe(true)
  const form = new URLSearchParams({ ...Object.fromEntries(asked.searchParams), email: OWNER, ...changes })
  const answer = await fetch(`${asked.origin}/o/oauth2/v2/auth/callback`, {
    method: 'POST',
    body: form,
    redirect: 'manual',
  })
  return answer.headers.get('location') ?? ''
}
const never = () => new Promise<never>(() => {})
const options = (changes: Partial<AuthOptions> = {}): AuthOptions => ({
  ...{ clientFile, port: 0, timeoutMinutes: 1 },
  ...changes,
})
/** Agrees in a browser on this machine. */
const inBrowser = (changes?: Record<string, string>) => ({
  show: (url: string) => void agree(url, changes).then((address) => fetch(address)),
  pasted: never,
})

describe('a token for Gmail', () => {
  it.each([
    ['cloud', 'gmail-read-token', GMAIL_SCOPES.read],
    ['local', 'gmail-token', GMAIL_SCOPES['read-and-send']],
  ] as const)(
    'of the %s zone has just its scopes, and stands where the zone looks for it',
    async (zone, name, scopes) => {
      gmail.refreshTokenExpiresIn = 604_800
      const home = await homeOf(zone)
      let shown = ''
      const done = await authoriseGmail(home, options(), {
        ...inBrowser(),
        show(url) {
          shown = url
          inBrowser().show(url)
        },
      })
      const asked = new URL(shown).searchParams
      expect(asked.get('scope')?.split(' ')).toEqual(scopes)
      expect(asked.get('code_challenge_method')).toBe('S256')
      expect(asked.get('redirect_uri')).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      const file = join(home.secrets, name)
      expect(done).toMatchObject({ file, address: OWNER })
      expect(statSync(file).mode & 0o777).toBe(0o600)
      const token = JSON.parse(readFileSync(file, 'utf8'))
      expect(token).toMatchObject({ client_id: 'id', client_secret: 'the-client-secret-1' })
      expect(token.expires_at - token.obtained_at).toBe(604_800)
      const guarded = (await knownSecrets(home)).map(({ bytes }) => Buffer.from(bytes).toString())
      expect(guarded).toEqual(expect.arrayContaining([token.refresh_token, 'the-client-secret-1']))
      expect(guarded.some((one) => one.includes(String(token.obtained_at)))).toBe(false)
    },
  )

  it('is got again without the client’s file, and replaces the old one', async () => {
    const home = await homeOf('cloud')
    const { file } = await authoriseGmail(home, options(), inBrowser())
    const before = readFileSync(file, 'utf8')
    const { clientFile: _none, ...again } = options()
    await authoriseGmail(home, again, inBrowser())
    expect(readFileSync(file, 'utf8')).not.toBe(before)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('is got by pasting the address, where the browser is on another machine', async () => {
    const address = Promise.withResolvers<string>()
    const { file } = await authoriseGmail(await homeOf('cloud'), options(), {
      show: (url) => void agree(url).then(address.resolve),
      pasted: async () => ` ${await address.promise}\n`,
    })
    expect(existsSync(file)).toBe(true)
  })

  it('of a further mailbox stands where mailboxes.json says', async () => {
    const home = await homeOf('cloud', 'first@example.org')
    mkdirSync(home.mailboxes)
    const second = { name: 'private', provider: 'gmail', address: OWNER, token_file: 'private-token' }
    writeFileSync(join(home.mailboxes, 'mailboxes.json'), JSON.stringify({ mailboxes: [second] }))
    const { file } = await authoriseGmail(home, options({ mailbox: 'private' }), inBrowser())
    expect(file).toBe(join(home.mailboxes, 'private-token'))
    const guarded = (await knownSecrets(home)).map(({ bytes }) => Buffer.from(bytes).toString())
    expect(guarded).toContain(JSON.parse(readFileSync(file, 'utf8')).refresh_token)
    expect(guarded.some((one) => one.includes(OWNER))).toBe(false)
    await expect(authoriseGmail(home, options({ mailbox: 'other' }), inBrowser())).rejects.toThrow(/no Gmail mailbox/)
  })
})

describe('nothing is written', () => {
  const refused = async (
    conversation: Parameters<typeof authoriseGmail>[2],
    changes: Partial<AuthOptions> = {},
    owner = OWNER,
  ) => {
    const home = await homeOf('cloud', owner)
    const outcome = await authoriseGmail(home, options(changes), conversation).catch((error: Error) => error)
    expect(existsSync(join(home.secrets, 'gmail-read-token'))).toBe(false)
    return outcome as Error & { code: string }
  }

  it('when more was granted than was asked for', async () => {
    const scope = [...GMAIL_SCOPES.read, 'https://www.googleapis.com/auth/gmail.send'].join(' ')
    expect(await refused(inBrowser({ scope }))).toMatchObject({
      code: 'ERR_MAIL_AUTH',
      message: expect.stringContaining('may do too much: gmail.send'),
    })
  })

  it('when less was granted', async () => {
    expect((await refused(inBrowser({ scope: 'openid' }))).message).toContain('the token lacks gmail.readonly')
  })

  it('when the account is another', async () => {
    const error = await refused(inBrowser(), {}, 'somebody@gmail.test')
    expect(error.message).toContain(`the token belongs to ${OWNER}`)
  })

  it('when the person refuses', async () => {
    const refuse = (url: string) => {
      const asked = new URL(url).searchParams
      void fetch(`${asked.get('redirect_uri')}/?error=access_denied&state=${asked.get('state')}`)
    }
    expect((await refused({ show: refuse, pasted: never })).message).toContain('Google answered access_denied')
  })

  it('when an address is pasted that answers something else', async () => {
    const error = await refused({ show() {}, pasted: async () => 'http://127.0.0.1:1/?state=x&code=y' })
    expect(error).toMatchObject({ code: 'ERR_USAGE', message: expect.stringContaining('not the address') })
  })

  it('when nobody answers in time', async () => {
    const error = await refused({ show() {}, pasted: never }, { timeoutMinutes: 0.001 })
    expect(error).toMatchObject({ code: 'ERR_MAIL_AUTH', message: expect.stringContaining('no answer within') })
  })

  it('when the port is taken', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    expect((await refused(inBrowser(), { port })).message).toMatch(/EADDRINUSE; choose another with --port/)
    taken.close()
  })

  it('when the client’s file is none', async () => {
    writeFileSync(clientFile, '{"type":"service_account"}')
    expect((await refused(inBrowser())).message).toMatch(/is not what Google's console gives/)
  })

  it('by an answer of a stranger, which ends nothing', async () => {
    const home = await homeOf('cloud')
    const statuses: number[] = []
    const { file } = await authoriseGmail(home, options(), {
      async show(url, redirectUri) {
        for (const path of ['/?code=theirs&state=theirs', '/favicon.ico'])
          statuses.push((await fetch(`${redirectUri}${path}`)).status)
        await fetch(await agree(url))
      },
      pasted: never,
    })
    expect([statuses, existsSync(file)]).toEqual([[404, 404], true])
  })
})
