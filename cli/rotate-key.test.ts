import { createPublicKey } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openJournal } from '#adapters/journal/journal.ts'
import { parsePrivateKey, readCountersignFile, spkiOf, writeCountersignFile } from '#adapters/keys/countersign-key.ts'
import { isGuardFresh } from '#adapters/keys/guard-file.ts'
import { readTrust, refuseRetired } from '#adapters/keys/trust-files.ts'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { audienceOf, publicKeyFrom, signReceipt } from '#core/countersignature.ts'
import { makeTaskId } from '#core/ids.ts'
import { readLedgers, verifyLedgers } from './audit.ts'
import { keyFindings } from './doctor-key.ts'
import { initZone } from './init/init-zone.ts'
import { readPairing } from './init/pairing.ts'
import { rotateKey } from './rotate-key.ts'
import type { ZoneHome } from './zone-home.ts'
import { knownSecrets } from './zone-secrets.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const clock = { now: () => NOW }
const TASK = makeTaskId(NOW, new Uint8Array(10))
const DIGEST = `sha256:${'a'.repeat(64)}`

async function scratch() {
  const root = await mkdtemp(join(tmpdir(), 'rotate-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  return root
}
const init = (root: string) => initZone({ root: join(root, 'local'), zone: 'local', settings: {}, secrets: {} })
const rotate = (home: ZoneHome, options = {}) => rotateKey(home, options, undefined, clock)

async function keyOf(home: ZoneHome, passphrase?: string) {
  const { path, pem } = await readCountersignFile(home.keys)
  return parsePrivateKey(path, pem, passphrase)
}

/** A receipt by the present key, for a task that is about to be done. */
async function intend(home: ZoneHome, nonce = '0'.repeat(32)) {
  const key = await keyOf(home)
  const [issued_at, expires_at] = [new Date(NOW - 1000).toISOString(), new Date(NOW + 60_000).toISOString()]
  const audience = audienceOf(createPublicKey(key))
  const unsigned = { audience, task: TASK, tool: 'email.send_email', digest: DIGEST, nonce, issued_at, expires_at }
  return signReceipt(unsigned, key)
}

const ledgerOf = (home: ZoneHome) =>
  openLedger({ vaultRoot: home.vault, stateDir: home.state, agent: home.agent, clock })

async function execute(home: ZoneHome, nonce?: string) {
  const receipt = await intend(home, nonce)
  using ledger = ledgerOf(home)
  await ledger.append('execution.intended', { task: TASK, data: { digest: DIGEST, nonce: receipt.nonce } })
  await ledger.append('execution.done', { task: TASK, data: { digest: DIGEST, receipt } })
}

async function rotations(home: ZoneHome) {
  return (await readLedgers(home)).entries.flat().filter((entry) => entry.type === 'key.rotated')
}

test('a new key countersigns, the old one verifies what it did, and everybody is told', async () => {
  const { home } = await init(await scratch())
  const before = await keyOf(home)
  await execute(home)
  using running = openJournal(join(home.state, 'journal.sqlite'), { epoch: 'take' })
  const rotation = await rotate(home)
  await execute(home, '1'.repeat(32))

  const after = await keyOf(home)
  await refuseRetired(home.trust, after)
  await expect(refuseRetired(home.trust, before)).rejects.toThrow(/retired on 2026-11-20T12:00:00.000Z.*--lost/)
  const names = { old: audienceOf(createPublicKey(before)), new: audienceOf(createPublicKey(after)) }
  expect(names.new).not.toBe(names.old)
  expect(rotation).toMatchObject({ ...names, isFinished: false })
  expect(await readTrust(home.trust)).toMatchObject({
    agents: [{ name: 'local', countersign: spkiOf(after) }],
    retired: [{ name: 'local', countersign: spkiOf(before), at: new Date(NOW).toISOString() }],
  })
  expect((await rotations(home)).map((entry) => entry.data)).toEqual([names])
  expect(await verifyLedgers(home)).toMatchObject({ ok: true, receipts: 2, faults: [] })
  expect(await readPairing(rotation.pairingFile)).toMatchObject({
    agent: { countersign: spkiOf(after) },
    retired: [{ countersign: spkiOf(before) }],
  })
  expect(running.isNewest()).toBe(false)
  expect(await isGuardFresh(home.keys, await knownSecrets(home))).toBe(true)
  expect((await readdir(home.keys)).filter((name) => /next|tmp/.test(name))).toEqual([])
  expect((await keyFindings(home, {}))[0]?.result).toBe('ok')
  // What init says afterwards is the same.
  expect((await initZone({ root: home.root, zone: 'local', settings: {}, secrets: {} })).pairingFile).toBe(
    rotation.pairingFile,
  )
  expect(await readPairing(rotation.pairingFile)).toMatchObject({ retired: [{ countersign: spkiOf(before) }] })
})

test('what the old key countersigns after the rotation is a fault, whatever time it bears', async () => {
  const { home } = await init(await scratch())
  const stolen = await keyOf(home)
  await rotate(home)
  await writeCountersignFile(await readCountersignFile(home.keys), stolen)
  await execute(home)
  const { faults } = await verifyLedgers(home)
  const problem = expect.stringContaining('after its key was replaced (entry 1)')
  expect(faults).toMatchObject([{ agent: 'local', line: 3, task: TASK, problem }])
})

test('the passphrase stays', async () => {
  const root = await scratch()
  const { home } = await init(root)
  const passphrase = 'a long passphrase'
  await writeCountersignFile(await readCountersignFile(home.keys), await keyOf(home), passphrase)
  await expect(rotate(home)).rejects.toMatchObject({ code: 'ERR_KEY_LOCKED' })
  const passphraseFile = join(root, 'passphrase')
  await writeFile(passphraseFile, passphrase)
  const rotation = await rotate(home, { passphraseFile })
  expect(audienceOf(createPublicKey(await keyOf(home, passphrase)))).toBe(rotation.new)
})

test.each<[string, (path: string) => Promise<void>]>([
  ['its passphrase is forgotten', async () => {}],
  ['the file is gone', (path) => rm(path)],
  ['the file is damaged', (path) => writeFile(path, 'nonsense')],
])('a key is replaced without its help when %s, and only when that is said', async (_what, harm) => {
  const { home } = await init(await scratch())
  await execute(home)
  const key = await keyOf(home)
  const file = await readCountersignFile(home.keys)
  await writeCountersignFile(file, key, 'a forgotten one')
  await harm(file.path)
  await expect(rotate(home)).rejects.toMatchObject({ code: expect.stringMatching(/KEY_LOCKED|CONFIG_INVALID/) })
  const rotation = await rotate(home, { lost: true })
  expect(rotation).toMatchObject({ old: audienceOf(createPublicKey(key)), isFinished: false })
  await execute(home, '1'.repeat(32))
  expect(await verifyLedgers(home)).toMatchObject({ ok: true, receipts: 2 })
  expect((await keyFindings(home, {}))[0]?.result).toBe('ok')
})

test('it waits for an action whose outcome nobody knows yet, unless the key has to go now', async () => {
  const { home } = await init(await scratch())
  const receipt = await intend(home)
  using running = openJournal(join(home.state, 'journal.sqlite'), { epoch: 'take' })
  const intent = {
    taskId: TASK,
    generation: 1,
    fileName: 'F.md',
    digest: DIGEST,
    receipt,
    action: '{}',
    intendedAt: NOW,
  }
  running.intend({ ...intent, key: '<m@home.example>' })
  running.consume(receipt, NOW)
  const before = await readFile(join(home.keys, 'countersign.pem'), 'utf8')
  await expect(rotate(home)).rejects.toMatchObject({ code: 'ERR_TASK_STATE', message: expect.stringContaining(TASK) })
  expect(await readFile(join(home.keys, 'countersign.pem'), 'utf8')).toBe(before)
  expect(running.isNewest()).toBe(true)
  expect(await isGuardFresh(home.keys, await knownSecrets(home))).toBe(true)
  await rotate(home, { now: true })
  expect(running.isNewest()).toBe(false)
  expect(await readFile(join(home.keys, 'countersign.pem'), 'utf8')).not.toBe(before)
})

test('a key file that is not the one the zones know is not replaced', async () => {
  const root = await scratch()
  const { home } = await init(root)
  const other = await init(join(root, 'other'))
  await writeCountersignFile(await readCountersignFile(home.keys), await keyOf(other.home))
  await expect(rotate(home)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
  expect(await rotations(home)).toEqual([])
})

test.each<[string, (home: ZoneHome) => string]>([
  ['trust', ({ trust }) => join(trust, 'agents.json')],
  ['the ledger', ({ vault }) => join(vault, 'Logs', 'local')],
  ['the other zone', ({ root }) => join(root, 'pairing-local.json')],
])('one that dies before it has told %s is completed by the next, with the same key', async (_what, pathIn) => {
  const { home } = await init(await scratch())
  await execute(home)
  const old = audienceOf(createPublicKey(await keyOf(home)))
  const path = pathIn(home)
  // The first look at the clock follows the exchange: from then on something stands where the step would write.
  const harm = () => {
    if (existsSync(`${path}.aside`)) return NOW
    renameSync(path, `${path}.aside`)
    if (path.endsWith('.json')) mkdirSync(path)
    else writeFileSync(path, '')
    return NOW
  }
  await expect(rotateKey(home, {}, undefined, { now: harm })).rejects.toThrow()
  rmSync(path, { recursive: true })
  renameSync(`${path}.aside`, path)
  const exchanged = audienceOf(createPublicKey(await keyOf(home)))
  expect(exchanged).not.toBe(old)
  expect((await keyFindings(home, {}))[0]?.found).toContain('was interrupted')

  expect(await rotate(home)).toMatchObject({ old, new: exchanged, isFinished: true })
  expect((await keyFindings(home, {}))[0]?.result).toBe('ok')
  await execute(home, '1'.repeat(32))
  expect(await verifyLedgers(home)).toMatchObject({ ok: true, receipts: 2 })
  expect((await rotations(home)).map((entry) => entry.data)).toEqual([{ old, new: exchanged }])
  expect((await readTrust(home.trust)).retired).toHaveLength(1)
})

test('the cloud takes the new key over from the pairing document, and knows the old one on', async () => {
  const root = await scratch()
  const { home, pairingFile } = await init(root)
  const cloud = await initZone({
    ...{ root: join(root, 'cloud'), zone: 'cloud', settings: {}, secrets: {} },
    pair: await readPairing(pairingFile),
  })
  const before = spkiOf(await keyOf(home))
  await rotate(home)
  await rotate(home)
  const pair = await readPairing(pairingFile)
  const forged = { ...pair, retired: [] }
  const again = (given: typeof pair) =>
    initZone({ root: cloud.home.root, zone: 'cloud', settings: {}, secrets: {}, pair: given })
  await expect(again(forged)).rejects.toThrow('already trusted with other keys')
  await again(pair)
  const { agents, retired } = await readTrust(cloud.home.trust)
  expect(agents.find((one) => one.name === 'local')?.countersign).toBe(spkiOf(await keyOf(home)))
  expect(retired).toHaveLength(2)
  expect(retired?.[0]?.countersign).toBe(before)
  expect(audienceOf(publicKeyFrom(before))).toMatch(/^key:/)
})
