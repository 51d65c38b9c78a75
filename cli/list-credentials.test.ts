import { chmod, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CREDENTIALS, credentialsOf } from '#core/credentials.ts'
import type { Zone } from '#core/zone-policy.ts'
import { startGmailEmulator } from '#tests/support/gmail-emulator.ts'
import { initZone } from './init/init-zone.ts'
import { listCredentials, renderCredentials } from './list-credentials.ts'
import type { ZoneHome } from './zone-home.ts'

const NOW = Date.parse('2026-12-01T08:00:00Z')
const DAY = 86_400_000

async function zoneHome(zone: Zone, settings: Record<string, string> = {}): Promise<ZoneHome> {
  const root = await mkdtemp(join(tmpdir(), 'list-credentials-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  return (await initZone({ root, zone, settings, secrets: {} })).home
}

async function lineOf(home: ZoneHome, name: string, ask = false) {
  const list = await listCredentials(home, ask, NOW)
  const line = list.credentials.find((one) => one.name === name)
  if (!line) throw new Error(`no ${name} in the list`)
  return { ...line, ok: list.ok }
}

const put = (home: ZoneHome, file: string, text = 'geheim-geheim', mode = 0o600) =>
  writeFile(join(home.root, file), text, { mode })

test.each(['cloud', 'local'] as const)(
  'a new home of the %s zone has all that it may hold listed, and nothing wrong',
  async (zone) => {
    const home = await zoneHome(zone)
    const list = await listCredentials(home, false, NOW)
    expect(list).toMatchObject({ zone, ok: true, unknown: [] })
    expect(list.credentials.map(({ name }) => name)).toEqual(credentialsOf(zone).map(({ name }) => name))
    expect(list.credentials.find(({ name }) => name === 'signing')).toMatchObject({ isHere: true, readBy: ['sync'] })
    const shown = renderCredentials(list)
    expect(shown).toMatch(/^✓ +signing +cloud and local/m)
    expect(shown).toContain(`Nothing is wrong with the credentials of the ${zone} zone.`)
  },
)

test('how old each is, and by when another should take its place', async () => {
  const home = await zoneHome('local')
  await put(home, 'secrets/smtp-password')
  await utimes(join(home.secrets, 'smtp-password'), new Date(NOW), new Date(NOW - 400 * DAY))
  expect(await lineOf(home, 'smtp-password')).toMatchObject({
    ...{ ok: true, ageDays: 400, rotateBy: new Date(NOW - 35 * DAY).toISOString(), faults: [] },
    notes: ['it is old: countersign rotate smtp-password'],
  })
})

describe('it is wrong', () => {
  test('when a credential of the other zone is here', async () => {
    const home = await zoneHome('cloud')
    await put(home, 'secrets/smtp-password')
    expect(await lineOf(home, 'smtp-password')).toMatchObject({
      ok: false,
      faults: [{ kind: 'foreign', found: expect.stringMatching(/belongs to the local zone, and may send mail/) }],
    })
  })

  test.each(['secrets/grafana-password', 'keys/deploy'])('when others can open %s', async (file) => {
    const home = await zoneHome('cloud')
    await chmod(join(home.root, file), 0o644)
    const { ok, credentials } = await listCredentials(home, false, NOW)
    expect(ok).toBe(false)
    expect(credentials.filter(({ faults }) => faults.length > 0)).toMatchObject([
      { place: join(home.root, file), faults: [{ kind: 'open', found: expect.stringContaining('mode 0644') }] },
    ])
  })

  test('when others can open the file that a setting names instead', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'elsewhere-')), 'password')
    onTestFinished(() => rm(join(file, '..'), { recursive: true }))
    await writeFile(file, 'geheim', { mode: 0o644 })
    const home = await zoneHome('local', { COUNTERSIGN_IMAP_PASSWORD_FILE: file })
    expect(await lineOf(home, 'imap-password')).toMatchObject({ place: file, faults: [{ kind: 'open' }] })
  })

  test('when a token has ended; before that it is told', async () => {
    const home = await zoneHome('cloud')
    const token = (at: number) =>
      JSON.stringify({ client_id: 'a', client_secret: 'b', refresh_token: 'c', expires_at: at / 1000 })
    await put(home, 'secrets/gmail-read-token', token(NOW + 3 * DAY))
    expect(await lineOf(home, 'gmail-read-token')).toMatchObject({ faults: [], notes: ['it ends 2026-12-04'] })
    await put(home, 'secrets/gmail-read-token', token(NOW - DAY))
    expect(await lineOf(home, 'gmail-read-token')).toMatchObject({
      ...{ ok: false, endsAt: '2026-11-30T08:00:00.000Z' },
      faults: [{ kind: 'expired', found: 'it ended 2026-11-30', hint: 'countersign rotate gmail-read-token' }],
    })
  })

  test('when Google says that the cloud’s token may do more than read', async () => {
    await using gmail = await startGmailEmulator()
    const settings = {
      ...{ COUNTERSIGN_MAILBOX_PROVIDER: 'gmail', COUNTERSIGN_GMAIL_URL: gmail.url },
      ...{ COUNTERSIGN_OWNER_ADDRESS: 'owner@gmail.test', COUNTERSIGN_OWNER_NAME: 'Owner' },
    }
    const home = await zoneHome('cloud', settings)
    await put(home, 'secrets/gmail-read-token', await gmail.tokenFile())
    expect(await lineOf(home, 'gmail-read-token', true)).toMatchObject({ ok: true, faults: [], notes: [] })
    const scope = 'https://www.googleapis.com/auth/gmail.'
    await put(home, 'secrets/gmail-read-token', await gmail.tokenFile([`${scope}readonly`, `${scope}modify`]))
    expect(await lineOf(home, 'gmail-read-token', true)).toMatchObject({
      ...{ ok: false },
      faults: [{ kind: 'too-strong', found: expect.stringContaining('may do too much: gmail.modify') }],
    })
    expect(await lineOf(home, 'gmail-read-token')).toMatchObject({ ok: true })
    gmail.isRevoked = true
    expect(await lineOf(home, 'gmail-read-token', true)).toMatchObject({
      ...{ ok: true, faults: [] },
      notes: [expect.stringContaining('could not be asked')],
    })
  })
})

test('what nobody knows among the secrets is told, and a rotation that is not finished', async () => {
  const home = await zoneHome('local')
  await put(home, 'secrets/old-token')
  await put(home, 'secrets/board-password.next')
  const list = await listCredentials(home, false, NOW)
  expect(list).toMatchObject({ ok: true, unknown: [join(home.secrets, 'old-token')] })
  expect((await lineOf(home, 'board-password')).notes).toEqual([
    'its rotation is not finished: countersign rotate board-password',
  ])
  expect(renderCredentials(list)).toContain('old-token: nobody here knows what that is')
})

test('nothing of any content is in the list', async () => {
  const home = await zoneHome('local')
  for (const { file } of CREDENTIALS) if (/^secrets/.test(file)) await put(home, file, 'the-very-secret')
  expect(JSON.stringify(await listCredentials(home, false, NOW))).not.toContain('the-very-secret')
})
