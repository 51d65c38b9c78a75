import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readAgents, readTrust, revokeAgent } from '#adapters/keys/trust-files.ts'
import type { Oid } from '#core/ports/repo.ts'
import { secretFindings } from '../doctor-secrets.ts'
import { environmentOf, openZoneHome } from '../zone-home.ts'
import { type InitPlan, initZone } from './init-zone.ts'
import { readPairing } from './pairing.ts'
import { pairingCode } from './pairing-code.ts'

async function scratch(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'init-zone-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  return root
}

function plan(root: string, zone: 'cloud' | 'local', more: Partial<InitPlan> = {}): InitPlan {
  return { root: join(root, zone), zone, settings: {}, secrets: {}, ...more }
}

async function pairedZones(root: string, hubHost?: string) {
  const cloud = await initZone(plan(root, 'cloud', hubHost ? { hubHost } : {}))
  const local = await initZone(plan(root, 'local', { pair: await readPairing(cloud.pairingFile) }))
  await initZone(plan(root, 'cloud', { pair: await readPairing(local.pairingFile) }))
  return { cloud, local }
}

/** Every file with its bytes. */
async function contentsOf(root: string): Promise<Map<string, string>> {
  const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath, entry.name))
  return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path, 'latin1')] as const)))
}

test('makes two zones that know each other and one hub', async () => {
  const root = await scratch()
  const { cloud, local } = await pairedZones(root)
  for (const { home } of [cloud, local])
    expect((await readAgents(home.trust)).map((agent) => agent.name)).toEqual(['cloud', 'local'])
  const home = await openZoneHome(local.home.root)
  expect(environmentOf(home).COUNTERSIGN_HUB_URL).toBe(join(cloud.home.hub, 'vault.git'))
  expect(await readdir(join(home.vault))).toContain('Company_Handbook.md')
})

test('keeps keys and secrets to their owner', async () => {
  const root = await scratch()
  const { home } = await initZone(plan(root, 'local', { secrets: { 'smtp-password': 'geheim' } }))
  for (const folder of [home.keys, home.secrets]) {
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    for (const name of await readdir(folder)) {
      if (!name.endsWith('.pub')) expect([name, (await stat(join(folder, name))).mode & 0o777]).toEqual([name, 0o600])
    }
  }
})

test('closes what others can open when it runs again, and says so; until then the doctor tells', async () => {
  const root = await scratch()
  const { home } = await initZone(plan(root, 'local', { secrets: { 'smtp-password': 'geheim' } }))
  const files = ['keys/signing', 'secrets/grafana-password', 'secrets/smtp-password', 'social/mastodon']
  await writeFile(join(home.root, 'social/mastodon'), 'token')
  for (const file of files) await chmod(join(home.root, file), 0o644)
  await chmod(join(home.root, 'secrets/redis-password'), 0o640)
  const told = (await secretFindings(home)).map(({ result, found }) => `${result} ${found}`)
  expect(told.sort()).toEqual(
    files.map((file) => expect.stringContaining(`failed ${join(home.root, file)} has mode 0644`)),
  )
  const { steps } = await initZone(plan(root, 'local'))
  for (const file of files) {
    expect(steps).toContain(`closed ${join(home.root, file)} to others: it had mode 0644`)
    expect((await stat(join(home.root, file))).mode & 0o777).toBe(0o600)
  }
  expect(await secretFindings(home)).toMatchObject([{ result: 'ok' }])
  expect((await initZone(plan(root, 'local'))).steps.join()).not.toContain('closed')
})

test('a credential of the other zone is told by the doctor', async () => {
  const { home } = await initZone(plan(await scratch(), 'cloud'))
  await writeFile(join(home.secrets, 'smtp-password'), 'geheim', { mode: 0o600 })
  expect(await secretFindings(home)).toMatchObject([
    { result: 'failed', found: expect.stringMatching(/smtp-password.*belongs to the local zone/) },
  ])
})

test('changes nothing when it runs again', async () => {
  const root = await scratch()
  const { cloud } = await pairedZones(root)
  const before = await contentsOf(cloud.home.root)
  await initZone(plan(root, 'cloud', { secrets: { 'redis-password': 'other' }, settings: {} }))
  expect(await contentsOf(cloud.home.root)).toEqual(before)
})

test('repairs what was lost and keeps what a person changed', async () => {
  const root = await scratch()
  const { home } = await initZone(plan(root, 'local', { settings: { COUNTERSIGN_UNDO_MS: '5000' } }))
  const handbook = join(home.vault, 'Company_Handbook.md')
  await writeFile(handbook, 'mine')
  await rm(join(home.vault, 'Business_Goals.md'))
  await rm(join(home.trust, 'agents.json'))
  const again = await initZone(plan(root, 'local', { settings: { COUNTERSIGN_UNDO_MS: '1' } }))
  expect(await readFile(handbook, 'utf8')).toBe('mine')
  expect(await readdir(home.vault)).toContain('Business_Goals.md')
  expect(await readdir(home.trust)).toContain('agents.json')
  expect(again.home.settings.COUNTERSIGN_UNDO_MS).toBe('5000')
  expect(again.steps.join('\n')).toContain('kept COUNTERSIGN_UNDO_MS')
})

test('gives the cloud neither the person’s notes nor anything to send with', async () => {
  const root = await scratch()
  const { home } = await initZone(plan(root, 'cloud'))
  expect((await readdir(home.vault)).filter((name) => name.endsWith('.md'))).toEqual([])
  expect(await readdir(home.keys)).not.toContain('countersign.pem')
  await writeFile(join(home.secrets, 'smtp-password'), 'by mistake')
  expect(Object.keys(environmentOf(home)).filter((name) => name.includes('SMTP'))).toEqual([])
})

test('names the hub by the host it was given, and keeps that at the next run', async () => {
  const root = await scratch()
  const { cloud, local } = await pairedZones(root, 'vm.example.org')
  const url = 'ssh://git@vm.example.org:2222/srv/hub/vault.git'
  expect((await readPairing(cloud.pairingFile)).hub?.url).toBe(url)
  expect(local.home.settings.COUNTERSIGN_HUB_URL).toBe(url)
  expect(await readFile(join(local.home.trust, 'known_hosts'), 'utf8')).toMatch(
    /^\[vm\.example\.org\]:2222 ssh-ed25519 /,
  )
})

test.each<[string, Partial<InitPlan>, RegExp[]]>([
  [
    'every faulty setting',
    {
      settings: {
        COUNTERSIGN_SMTP_PORT: 'abc',
        COUNTERSIGN_IMAP_PORT: '0',
        COUNTERSIGN_IMAP_TLS: 'maybe',
        COUNTERSIGN_IMAP_HOST: 'imaps://mail.example.org',
        COUNTERSIGN_OWNER_ADDRESS: 'notanaddress',
        COUNTERSIGN_OWNER_NAME: 'two\nlines',
      },
    },
    [/SMTP_PORT: .*"abc"/, /IMAP_PORT: .*1 to 65535/, /IMAP_TLS: /, /IMAP_HOST: /, /OWNER_ADDRESS: /, /OWNER_NAME: /],
  ],
  [
    'a password in the open',
    { settings: { COUNTERSIGN_IMAP_TLS: 'none', COUNTERSIGN_IMAP_HOST: 'mail.example.org' } },
    [/IMAP_TLS: none would send the password/],
  ],
  ['something to send with in the cloud', { zone: 'cloud', settings: { COUNTERSIGN_SMTP_HOST: 'x' } }, [/SMTP_HOST: /]],
  ['a hub host that is none', { zone: 'cloud', hubHost: 'vm host' }, [/--hub-host: /]],
  ['a hub host that leads every machine to itself', { zone: 'cloud', hubHost: 'localhost:2222' }, [/--hub-host: /]],
  ['a hub port that is none', { zone: 'cloud', hubHost: 'vm:99999' }, [/--hub-host: /]],
])('refuses %s, and writes nothing', async (_what, more, faults) => {
  const root = await scratch()
  const refusal = await initZone(plan(root, 'local', { ...more, root: join(root, 'home') })).catch((error) => error)
  expect(refusal).toMatchObject({ code: 'ERR_CONFIG_INVALID' })
  for (const fault of faults) expect(refusal.message).toMatch(fault)
  expect(await readdir(root)).toEqual([])
})

test('judges what it is given together with what the home already says', async () => {
  const root = await scratch()
  await initZone(plan(root, 'local', { settings: { COUNTERSIGN_IMAP_HOST: 'mail.example.org' } }))
  const before = await contentsOf(join(root, 'local'))
  const given = plan(root, 'local', { settings: { COUNTERSIGN_IMAP_TLS: 'none' } })
  await expect(initZone(given)).rejects.toThrow('IMAP_TLS')
  expect(await contentsOf(join(root, 'local'))).toEqual(before)
  await initZone({ ...given, settings: { ...given.settings, COUNTERSIGN_ALLOW_PLAINTEXT: 'true' } })
})

test('refuses an agent that is known with other keys before it changes anything', async () => {
  const root = await scratch()
  const { local } = await pairedZones(root)
  const before = await contentsOf(local.home.root)
  const impostor = await initZone({ ...plan(root, 'cloud'), root: join(root, 'impostor') })
  const pair = await readPairing(impostor.pairingFile)
  await expect(initZone(plan(root, 'local', { pair, settings: { COUNTERSIGN_UNDO_MS: '1' } }))).rejects.toThrow(
    /already trusted with other keys in .*made anew: npx countersign --zone local trust revoke cloud/,
  )
  expect(await contentsOf(local.home.root)).toEqual(before)
})

test('a revoked agent’s place is taken by another, and the hub learns from local what counts no more', async () => {
  const root = await scratch()
  const { cloud, local } = await pairedZones(root)
  const after = 'ab'.repeat(20) as Oid
  await revokeAgent(local.home.trust, 'cloud', after)
  const again = await initZone(plan(root, 'local'))
  const word = await readPairing(again.pairingFile)
  expect(word.revoked).toMatchObject([{ name: 'cloud', after }])

  // The machine whose keys were revoked is told, and loses nothing.
  const before = await contentsOf(cloud.home.root)
  await expect(initZone(plan(root, 'cloud', { pair: word }))).rejects.toThrow(/revoked cloud's key/)
  expect(await contentsOf(cloud.home.root)).toEqual(before)

  const fresh = await initZone({ ...plan(root, 'cloud', { pair: word }), root: join(root, 'fresh') })
  expect(await readTrust(fresh.home.trust)).toMatchObject({
    agents: [{ name: 'cloud' }, { name: 'local' }],
    revoked: [{ name: 'cloud', after }],
  })
  await initZone(plan(root, 'local', { pair: await readPairing(fresh.pairingFile) }))
  const trusted = (await readTrust(local.home.trust)).agents.find((one) => one.name === 'cloud')
  expect(trusted?.signing).toBe((await readTrust(fresh.home.trust)).agents[0]?.signing)
})

test('what a cloud says of revoked keys, local does not hear', async () => {
  const root = await scratch()
  const { cloud, local } = await pairedZones(root)
  const pair = await readPairing(cloud.pairingFile)
  const { signing, ledger } = pair.agent
  const stolen = { name: 'local', zone: 'local', signing, ledger, after: 'ab'.repeat(20) as Oid } as const
  await initZone(plan(root, 'local', { pair: { ...pair, revoked: [stolen] } }))
  expect((await readTrust(local.home.trust)).revoked).toEqual([])
})

test('a pairing code does what the file does, and the own zone’s is refused', async () => {
  const root = await scratch()
  const cloud = await initZone(plan(root, 'cloud', { hubHost: 'vm.example.org' }))
  const code = pairingCode(await readFile(cloud.pairingFile, 'utf8'))
  expect(await readPairing(code)).toEqual(await readPairing(cloud.pairingFile))
  const local = await initZone(plan(root, 'local', { pair: await readPairing(code) }))
  expect((await readAgents(local.home.trust)).map((agent) => agent.name)).toEqual(['cloud', 'local'])
  await expect(initZone(plan(root, 'cloud', { pair: await readPairing(code) }))).rejects.toThrow(/cloud zone, too/)
})

test('a code that was saved in a file is read from there; a name that is neither is told so', async () => {
  const root = await scratch()
  const cloud = await initZone(plan(root, 'cloud', { hubHost: 'vm.example.org' }))
  const file = join(root, 'line.txt')
  await writeFile(file, `${pairingCode(await readFile(cloud.pairingFile, 'utf8'))}\n`)
  expect(await readPairing(file)).toEqual(await readPairing(cloud.pairingFile))
  await expect(readPairing(join(root, 'pairing.json'))).rejects.toThrow(
    /there is no file .*pairing\.json here, and it is no pairing code, which begins with cs1-/,
  )
})

test('refuses a folder that is the other zone’s home, and pairing with the own zone', async () => {
  const root = await scratch()
  const { pairingFile } = await initZone(plan(root, 'cloud'))
  await expect(initZone({ ...plan(root, 'local'), root: join(root, 'cloud') })).rejects.toThrow(
    'home of the cloud zone',
  )
  const other = await initZone({ ...plan(root, 'cloud'), root: join(root, 'second') })
  const pair = await readPairing(pairingFile)
  await expect(initZone({ ...plan(root, 'cloud'), root: other.home.root, pair })).rejects.toThrow(
    'belongs to the cloud zone',
  )
})

test.each([
  ['no JSON', 'nonsense', 'no JSON'],
  ['another document', '{"schema":"x"}', 'no pairing file'],
  ['an agent with a broken key', '{"schema":"countersign-pairing/1","agent":{"name":"cloud"}}', 'not valid'],
])('refuses a pairing file that is %s', async (_what, text, message) => {
  const file = join(await scratch(), 'pairing.json')
  await writeFile(file, text)
  await expect(readPairing(file)).rejects.toThrow(message)
})
