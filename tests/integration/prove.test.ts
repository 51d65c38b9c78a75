import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { proveHub } from '#adapters/git/prove-hub.ts'
import { proveGmailReads } from '#adapters/gmail/prove-reading.ts'
import { commitFiles, makeHub, makeZones, openClone, taskText, type Zones } from '#tests/support/git-zones.ts'
import { type GmailEmulator, startGmailEmulator } from '#tests/support/gmail-emulator.ts'
import { hasSshd, type SshHub, serveHub } from '#tests/support/sshd.ts'
import { gmailServer } from '../../runtime/mail-accounts.ts'

// What `countersign prove` tries with what the cloud holds, at real servers: sound, it is refused; weakened, that is found.
// The key for Odoo is in odoo-setup.test.ts, which has a real one; what containers see of themselves in tests/e2e/story.test.ts.

const SCOPE = 'https://www.googleapis.com/auth/'

describe.skipIf(!hasSshd)('the hub, over ssh (needs an sshd on this machine)', () => {
  let zones: Zones
  let repository: string
  let hub: SshHub
  beforeAll(async () => {
    zones = await makeZones()
    repository = await makeHub(zones)
    hub = await serveHub(zones, repository)
    await using cloud = await openClone(zones, 'cloud', repository)
    const file = 'Needs_Action/email/EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
    const commit = await commitFiles(cloud, null, { [file]: taskText(0) })
    expect(await cloud.push({ commit, expected: null })).toEqual({ kind: 'landed' })
  })
  afterAll(async () => {
    await hub?.[Symbol.asyncDispose]()
    zones?.[Symbol.dispose]()
  })

  const git = (...args: string[]) =>
    execFileSync('git', ['--git-dir', repository, ...args], { encoding: 'utf8' }).trim()
  const prove = () => {
    const home = zones.home('cloud')
    const ssh = { deployKeyFile: join(home, 'keys/deploy'), knownHostsFile: join(home, 'trust/known_hosts') }
    const whose = { agent: 'cloud', agents: zones.agents, signingKeyFile: join(home, 'keys/signing') }
    return proveHub({ ...whose, hubUrl: hub.url, ssh }, zones.root)
  }

  it('refuses an approval that the cloud made up, and nothing of it stays', async () => {
    const before = git('for-each-ref')
    const objects = git('count-objects', '-v')
    expect(await prove()).toEqual({
      ...{ check: 'the hub refuses an approval that the cloud made up', result: 'ok' },
      found: expect.stringMatching(/^pushed Approved\/.*, signed by the cloud: refused \(local-only-path\)$/),
    })
    expect(git('for-each-ref')).toBe(before)
    expect(git('count-objects', '-v')).toBe(objects)
  })

  it('is found out when it has no rules, and still keeps nothing', async () => {
    const before = git('for-each-ref')
    rmSync(join(repository, 'hooks/pre-receive'))
    expect(await prove()).toMatchObject({
      ...{ check: 'the hub refuses an approval that the cloud made up', result: 'failed' },
      found: 'its rules said nothing; only git refused it, as it could not be kept',
      hint: expect.stringContaining('restart hub'),
    })
    expect(git('for-each-ref')).toBe(before)
    await makeHub(zones, undefined, repository)
    expect(await prove()).toMatchObject({ result: 'ok' })
  })

  it('is not called sound when it does not answer', async () => {
    await hub[Symbol.asyncDispose]()
    expect(await prove()).toMatchObject({ result: 'skipped', found: expect.stringContaining('could not be asked') })
  })
})

describe('the Gmail token', () => {
  let gmail: GmailEmulator
  beforeAll(async () => {
    gmail = await startGmailEmulator()
  })
  afterAll(() => gmail?.[Symbol.asyncDispose]())
  const prove = async (...scopes: string[]) => {
    const token = await gmail.tokenFile(scopes.map((one) => SCOPE + one))
    const account = { address: 'owner@gmail.test', may: 'read', credentials: async () => token } as const
    return proveGmailReads({ ...account, ...gmailServer(gmail.url) })
  }

  it('that reads is sound', async () => {
    expect(await prove('gmail.readonly')).toMatchObject({ result: 'ok' })
  })

  it.each(['gmail.modify', 'gmail.send', 'gmail.compose'])('that may do more is found out: %s', async (scope) => {
    expect(await prove('gmail.readonly', scope)).toMatchObject({
      ...{ check: 'the Gmail token of owner@gmail.test can read and do nothing else', result: 'failed' },
      found: expect.stringContaining(`the token may do too much: ${scope}`),
    })
  })

  it('that nobody can be asked about is not called sound', async () => {
    gmail.trouble(/./, { status: 503, times: 1_000 })
    expect(await prove('gmail.readonly').catch(() => ({ result: 'skipped' }))).toMatchObject({ result: 'skipped' })
  })
})
