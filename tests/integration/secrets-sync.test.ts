import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { joined as j, noise } from '#tests/secrets/noise.ts'
import { makeHub, makeZones, type Zones } from '#tests/support/git-zones.ts'
import { type SyncProcess, syncProcess, until } from '#tests/support/sync-process.ts'

let redis: StartedTestContainer
let zones: Zones
let hub: string
let local: SyncProcess
beforeAll(async () => {
  redis = await new GenericContainer('redis:8').withExposedPorts(6379).start()
}, 180_000)
afterAll(() => redis.stop())
beforeEach(async () => {
  zones = await makeZones()
  hub = await makeHub(zones)
  local = syncProcess(zones, 'local', hub, `redis://${redis.getHost()}:${redis.getMappedPort(6379)}/0`)
})
afterEach(async () => {
  await local.kill()
  zones[Symbol.dispose]()
})

const put = (path: string, content: string) => {
  mkdirSync(dirname(join(local.vault, path)), { recursive: true })
  writeFileSync(join(local.vault, path), content)
}
const git = (...args: string[]) => execFileSync('git', ['--git-dir', hub, ...args], { encoding: 'utf8', stdio: 'pipe' })
const hubFiles = () =>
  git('ls-tree', '-r', '--name-only', 'main')
    .trim()
    .split('\n')
    .filter((path) => !path.startsWith('Logs/'))

/** What must never cross, by name. */
const NEVER = [
  '.env',
  '.env.local',
  'Inbox/.env',
  'whatsapp.session',
  'Inbox/me.session',
  'token.json',
  'tokens/gmail.json',
  'credentials.json',
  'Inbox/credentials.json',
  'banking/accounts.md',
  'Plans/banking/accounts.md',
  '.wwebjs_auth/session/Default/Cookies',
  '.wwebjs_cache/2.html',
  'auth_info_baileys/creds.json',
  'secrets/imap-password',
  'storageState.json',
  'id_ed25519',
  '.obsidian/plugins/x/data.json',
]

describe('the sync service', () => {
  it('carries none of the files that hold secrets by their name, and no secret of its own in any other', async () => {
    for (const path of NEVER) put(path, 'SECRET=1\n')
    const key = readFileSync(join(zones.home('local'), 'keys', 'countersign.pem'), 'utf8')
    put('Plans/key.md', `for later:\n> ${key.trim().replaceAll('\n', '\n> ')}\n`)
    put('Plans/wrapped.md', `${Buffer.from(key).toString('base64').replace(/.{40}/g, '$&\n')}\n`)
    put('Plans/token.md', `the key is ${j('gl', 'pat-', noise(20))}\n`)
    put('Plans/trip.md', 'by train\n')
    await local.start()
    await until('the ordinary note at the hub', () => hubFiles().includes('Plans/trip.md'))
    const held = await until('what is held back', () => {
      const found = local.status().held as { path: string; rule: string }[]
      return found.filter(({ rule }) => /^(known-secret|secret|secretlint)\./.test(rule)).length >= 3
        ? found
        : undefined
    })
    expect(hubFiles()).toEqual(['Plans/trip.md'])
    expect(Object.fromEntries(held.map(({ path, rule }) => [path, rule]))).toMatchObject({
      'Plans/key.md': 'known-secret.countersign.pem',
      'Plans/wrapped.md': 'known-secret.countersign.pem',
      'Plans/token.md': expect.stringMatching(/gitlab/),
    })
    const everything = git('rev-list', '--objects', '--all', '--no-object-names')
      .trim()
      .split('\n')
      .map((oid) => git('cat-file', '-p', oid))
      .join('\n')
    expect(everything).not.toContain('glpat-')
    expect(everything).not.toContain('SECRET=1')
    // The ledger, which crosses, names files and rules.
    await until('the ledger at the hub', () => git('grep', '-c', 'path.held', 'main', '--', 'Logs'))
    expect(local.log.join('')).not.toContain(noise(20))
  })

  it('does not start without its guard, and says what makes it', async () => {
    rmSync(join(zones.home('local'), 'keys', 'guard.json'))
    put('Plans/trip.md', 'by train\n')
    await local.start()
    await until('the refusal', () => local.log.join('').includes('ERR_GUARD_MISSING'))
    expect(local.log.join('')).toMatch(/countersign init/)
    expect(git('for-each-ref')).toBe('')
  })
})
