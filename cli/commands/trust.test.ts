import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { expect, onTestFinished, test } from 'vitest'
import { readTrust } from '#adapters/keys/trust-files.ts'
import { openSyncStore } from '#adapters/sync-store/sync-store.ts'
import { initZone } from '../init/init-zone.ts'
import { readPairing } from '../init/pairing.ts'
import { openZoneHome } from '../zone-home.ts'
import { configure } from './trust.ts'

const HEAD = 'ab'.repeat(20)

/** A local home that knows a cloud and has verified a head; runs `countersign trust …` in it. */
async function localHome() {
  const root = await mkdtemp(join(tmpdir(), 'trust-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const cloud = await initZone({ root: join(root, 'cloud'), zone: 'cloud', settings: {}, secrets: {} })
  const pair = await readPairing(cloud.pairingFile)
  const { home } = await initZone({ root: join(root, 'local'), zone: 'local', settings: {}, secrets: {}, pair })
  const trust = async (...args: string[]) => {
    const answers: { value: unknown; text: string }[] = []
    const command = new Command('trust').exitOverride()
    configure(command, {
      json: false,
      env: {},
      home: () => openZoneHome(home.root),
      anyHome: () => openZoneHome(home.root),
      answer: (value, text) => void answers.push({ value, text }),
      say: () => {},
      setExitCode: () => {},
    })
    await command.parseAsync(args, { from: 'user' })
    return answers[0] ?? { value: undefined, text: '' }
  }
  return { home, trust }
}

test('revoking an agent keeps what this zone has verified, and says what comes next', async () => {
  const { home, trust } = await localHome()
  using store = openSyncStore(join(home.state, 'sync.sqlite'))
  store.update({ facts: { verified: HEAD } })
  const { text } = await trust('revoke', 'cloud')
  expect(text).toContain(`--zone cloud trust revoke cloud --after ${HEAD}`)
  expect(text).not.toContain('this machine itself')
  const { agents, revoked } = await readTrust(home.trust)
  expect(agents.map((one) => one.name)).toEqual(['local'])
  expect(revoked).toMatchObject([{ name: 'cloud', zone: 'cloud', after: HEAD }])
  expect((await trust()).text).toMatch(/local +local +SHA256:\S+ +believed\ncloud +cloud +SHA256:\S+ +up to abab/)
})

test('an agent is revoked up to the commit that is named', async () => {
  const { home, trust } = await localHome()
  const { text } = await trust('revoke', 'local', '--after', '12'.repeat(20))
  expect(text).toContain('the keys of this machine itself')
  expect((await readTrust(home.trust)).revoked).toMatchObject([{ name: 'local', after: '12'.repeat(20) }])
})

test.each([
  ['nobody’s name', ['revoke', 'nobody', '--after', HEAD], 'ERR_CONFIG_INVALID', /no agent nobody/],
  ['a commit id that is none', ['revoke', 'cloud', '--after', 'HEAD'], 'ERR_USAGE', /40 digits/],
  ['no commit, where sync has verified none', ['revoke', 'cloud'], 'ERR_USAGE', /say --after/],
])('revoking by %s changes nothing', async (_what, args, code, message) => {
  const { home, trust } = await localHome()
  const before = await readTrust(home.trust)
  await expect(trust(...args)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  expect(await readTrust(home.trust)).toEqual(before)
})
