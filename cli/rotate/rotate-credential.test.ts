import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, test } from 'vitest'
import { readTrust, revokeAgent } from '#adapters/keys/trust-files.ts'
import { type Credential, credentialNamed, credentialsOf } from '#core/credentials.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { Zone } from '#core/zone-policy.ts'
import { startGmailEmulator } from '#tests/support/gmail-emulator.ts'
import { initZone } from '../init/init-zone.ts'
import { readPairing } from '../init/pairing.ts'
import type { ZoneHome } from '../zone-home.ts'
import { rotateAgentKeys } from './agent-keys.ts'
import { rotateGmail } from './gmail.ts'
import { type RotateOptions, rotateCredential } from './rotate-credential.ts'
import { textOf } from './swap-secret.ts'

/** Containers of nobody: what else runs on this machine is not meant. */
const NOBODY: NodeJS.ProcessEnv = { ...process.env, COMPOSE_PROJECT_NAME: 'countersign-nobody' }

async function zoneHome(zone: Zone, settings: Record<string, string> = {}): Promise<ZoneHome> {
  const root = await mkdtemp(join(tmpdir(), 'rotate-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  return (await initZone({ root, zone, settings, secrets: {} })).home
}

function rotate(home: ZoneHome, name: string, options: RotateOptions = {}) {
  return rotateCredential(home, credentialNamed(name) as Credential, options, undefined, NOBODY)
}

test.each(['cloud', 'local'] as const)(
  'what cannot be replaced from the %s zone comes with its steps, and nothing is changed',
  async (zone) => {
    const home = await zoneHome(zone)
    for (const { name } of credentialsOf(zone).filter(({ origin }) => origin === 'other')) {
      const { isDone, steps } = await rotate(home, name)
      expect([name, isDone, steps.length]).toEqual([name, false, expect.toSatisfy((count: number) => count > 0)])
      expect(steps.join()).not.toMatch(/ZONE|HOME/)
    }
  },
)

test('what belongs to the other zone is not replaced here', async () => {
  await expect(rotate(await zoneHome('cloud'), 'smtp-password')).rejects.toMatchObject({ code: 'ERR_ZONE_FORBIDDEN' })
})

test('a secret that nobody else knows is another one afterwards, and nothing is left beside it', async () => {
  const home = await zoneHome('cloud')
  for (const name of ['board-password', 'odoo-master-password', 'redis-password', 'redis-watch']) {
    const file = join(home.secrets, name)
    const old = await textOf(file)
    expect(await rotate(home, name, { stopped: true })).toMatchObject({ isDone: true, isFinished: false })
    expect(await textOf(file)).not.toBe(old)
  }
  expect(Object.keys(JSON.parse(await textOf(join(home.secrets, 'redis-watch'))))).toEqual(['redis://watch@redis:6379'])
  expect((await readdir(home.secrets)).filter((name) => /next|before/.test(name))).toEqual([])
})

describe('what others give', () => {
  it('is taken out of a file that nobody else can read, and the old one is to be taken back', async () => {
    const home = await zoneHome('local')
    const given = join(home.root, 'given')
    await writeFile(given, 'another-token\n', { mode: 0o644 })
    await expect(rotate(home, 'ntfy-token', { file: given })).rejects.toMatchObject({ code: 'ERR_USAGE' })
    await rm(given)
    await writeFile(given, 'another-token\n', { mode: 0o600 })
    const { steps } = await rotate(home, 'ntfy-token', { file: given })
    expect(steps.join()).toContain('Then withdraw the old one at the ntfy server.')
    expect(await textOf(join(home.secrets, 'ntfy-token'))).toBe('another-token')
    await expect(rotate(home, 'ntfy-token', { file: given })).rejects.toThrow('that is the old one')
  })

  it('is not taken when nobody lets it in', async () => {
    const settings = {
      ...{ COUNTERSIGN_IMAP_HOST: '127.0.0.1', COUNTERSIGN_IMAP_PORT: '9', COUNTERSIGN_IMAP_USER: 'owner' },
      ...{ COUNTERSIGN_OWNER_ADDRESS: 'owner@countersign.test', COUNTERSIGN_OWNER_NAME: 'Owner' },
    }
    const home = await zoneHome('cloud', settings)
    const [file, given] = [join(home.secrets, 'imap-password'), join(home.root, 'given')]
    await writeFile(file, 'the-old-password', { mode: 0o600 })
    await writeFile(given, 'the-new-password', { mode: 0o600 })
    await expect(rotate(home, 'imap-password', { file: given })).rejects.toThrow(/is not taken.*nothing was changed/s)
    expect(await textOf(file)).toBe('the-old-password')
    expect(await readdir(home.secrets)).not.toContain('imap-password.next')
  })
})

describe('Grafana', () => {
  /** Grafana's HTTP API as far as its admin's password goes; `dies`: it takes the new one and never answers. */
  async function grafana(password: string) {
    const state = { password, dies: false }
    const server = createServer(async (request, response) => {
      const [, word = ''] = (request.headers.authorization ?? '').split(' ')
      const isAdmin = Buffer.from(word, 'base64').toString() === `admin:${state.password}`
      const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString()
      if (!isAdmin) return void response.writeHead(401).end('{}')
      if (request.method === 'PUT' && request.url === '/api/user/password') {
        const { oldPassword, newPassword, confirmNew } = JSON.parse(body)
        if (oldPassword !== state.password || newPassword !== confirmNew) return void response.writeHead(400).end('{}')
        state.password = newPassword
        if (state.dies) return void response.destroy()
      }
      response.writeHead(200).end('{}')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }

  it('takes the new password and the old one no more, also when its answer was lost', async () => {
    const home = await zoneHome('cloud')
    const file = join(home.secrets, 'grafana-password')
    const old = await textOf(file)
    const { state, url } = await grafana(old)
    state.dies = true
    await expect(rotate(home, 'grafana-password', { url })).rejects.toMatchObject({ code: 'ERR_NOT_RUNNING' })
    state.dies = false
    expect(await rotate(home, 'grafana-password', { url })).toMatchObject({ isDone: true, isFinished: true })
    expect(await textOf(file)).toBe(state.password)
    expect(state.password).not.toBe(old)
  })

  it('whose password is another one than the file says keeps it, and so does the file', async () => {
    const home = await zoneHome('cloud')
    const file = join(home.secrets, 'grafana-password')
    const old = await textOf(file)
    const { state, url } = await grafana('changed in the browser')
    await expect(rotate(home, 'grafana-password', { url })).rejects.toThrow(/does not take the password/)
    expect([await textOf(file), state.password]).toEqual([old, 'changed in the browser'])
  })
})

describe('a Gmail token', () => {
  it('is ended by Google, then another one is asked for; one that had ended already is no hindrance', async () => {
    await using gmail = await startGmailEmulator()
    const settings = {
      ...{ COUNTERSIGN_MAILBOX_PROVIDER: 'gmail', COUNTERSIGN_GMAIL_URL: gmail.url },
      ...{ COUNTERSIGN_OWNER_ADDRESS: 'owner@gmail.test', COUNTERSIGN_OWNER_NAME: 'Owner' },
    }
    const home = await zoneHome('cloud', settings)
    const file = join(home.secrets, 'gmail-read-token')
    const old = await gmail.tokenFile()
    await writeFile(file, old, { mode: 0o600 })
    const nobody = { show: () => {}, pasted: () => Promise.reject(new Error('nobody agreed')) }
    const options = { port: 0, timeoutMinutes: 1 }
    await expect(rotateGmail(home, file, options, nobody)).rejects.toThrow('nobody agreed')
    expect(gmail.calls).toContain('POST /revoke')
    const { refresh_token, client_id } = JSON.parse(old)
    const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token, client_id })
    const answer = await fetch(`${gmail.url}/token`, { method: 'POST', body: form })
    expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_grant' })])
    // Again: Google does not know it any more, and the person is asked all the same.
    await expect(rotateGmail(home, file, options, nobody)).rejects.toThrow('nobody agreed')
    // Nothing was said by Google: then nobody is asked.
    gmail.trouble(/revoke/, { status: 503 })
    await expect(rotateGmail(home, file, options, nobody)).rejects.toMatchObject({ code: 'ERR_MAIL_UNREACHABLE' })
  })
})

describe('the keys of an agent', () => {
  const AFTER = 'ab'.repeat(20) as Oid

  it.each(['cloud', 'local'] as const)(
    'of the %s zone are taken over by the other one with the steps that are told',
    async (zone) => {
      const root = await mkdtemp(join(tmpdir(), 'rotate-'))
      onTestFinished(() => rm(root, { recursive: true, force: true }))
      const plan = (one: Zone) => ({ root: join(root, one), zone: one, settings: {}, secrets: {} })
      const cloud = await initZone(plan('cloud'))
      const local = await initZone({ ...plan('local'), pair: await readPairing(cloud.pairingFile) })
      await initZone({ ...plan('cloud'), pair: await readPairing(local.pairingFile) })
      const [own, other] = zone === 'cloud' ? [cloud.home, local.home] : [local.home, cloud.home]
      const { pairingFile } = await rotateAgentKeys(own, AFTER, Date.now())
      const pair = await readPairing(pairingFile)
      // The hub's address and key are carried on.
      expect(pair.hub !== undefined).toBe(zone === 'cloud')
      await expect(initZone({ ...plan(other.zone), pair })).rejects.toThrow()
      await revokeAgent(other.trust, zone, AFTER)
      await initZone({ ...plan(other.zone), pair })
      const { agents, revoked } = await readTrust(other.trust)
      expect(agents).toEqual((await readTrust(own.trust)).agents)
      expect(revoked).toMatchObject([{ name: zone, after: AFTER }])
    },
  )

  it('that a run left half replaced are those of the new identity after the next', async () => {
    const home = await zoneHome('cloud')
    // It dies when it has told trust and before all the keys are in their place.
    await rm(join(home.keys, 'deploy'))
    await mkdir(join(home.keys, 'deploy/in-the-way'), { recursive: true })
    await expect(rotateAgentKeys(home, AFTER, Date.now())).rejects.toThrow()
    await rm(join(home.keys, 'deploy'), { recursive: true })
    const done = await rotateAgentKeys(home, AFTER, Date.now())
    expect(done).toMatchObject({ isFinished: true, after: AFTER })
    const { agents, revoked } = await readTrust(home.trust)
    expect(revoked).toMatchObject([{ name: 'cloud', after: AFTER }])
    for (const name of ['signing', 'deploy'] as const)
      expect(await readFile(join(home.keys, `${name}.pub`), 'utf8')).toContain(agents[0]?.[name])
    expect(JSON.parse(await readFile(done.pairingFile, 'utf8')).agent).toEqual(agents[0])
    expect((await readdir(home.keys)).filter((name) => name.startsWith('.'))).toEqual([])
  })
})
