import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import {
  parsePrivateKey,
  readCountersignFile,
  renderPrivateKey,
  spkiOf,
  writeCountersignFile,
} from './countersign-key.ts'
import { createZoneKeys, publicIdentity } from './zone-keys.ts'

const PASSPHRASE = 'Übung macht die Meisterin 7'
let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'countersign-key-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
})

async function lockedHome() {
  const identity = await createZoneKeys(home, 'local')
  const file = await readCountersignFile(join(home, 'keys'))
  const key = parsePrivateKey(file.path, file.pem)
  await writeCountersignFile(file, key, PASSPHRASE)
  return { identity, key, path: file.path }
}

test('a key with a passphrase opens with it alone, here and in OpenSSL', async () => {
  const { key, path } = await lockedHome()
  const { pem, isLocked } = await readCountersignFile(join(home, 'keys'))
  expect(isLocked).toBe(true)
  expect(pem).not.toContain(key.export({ type: 'pkcs8', format: 'der' }).toString('base64').slice(24))
  expect(parsePrivateKey(path, pem, PASSPHRASE).equals(key)).toBe(true)
  for (const wrong of [undefined, '', 'Übung macht die Meisterin 8'])
    expect(() => parsePrivateKey(path, pem, wrong)).toThrow(expect.objectContaining({ code: 'ERR_KEY_LOCKED' }))
  const args = ['pkey', '-in', path, '-passin', 'stdin', '-pubout', '-outform', 'DER']
  const openssl = spawnSync('openssl', args, { input: `${PASSPHRASE}\n` })
  if (openssl.error === undefined) expect(openssl.stdout.toString('base64')).toBe(spkiOf(key))
})

test('guessing is slow: hundreds of thousands of rounds, another salt for each file', async () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const [one, other] = [await renderPrivateKey(privateKey, PASSPHRASE), await renderPrivateKey(privateKey, PASSPHRASE)]
  const bytes = Buffer.from(one.replace(/-----[^-]*-----|\s/g, ''), 'base64')
  // The INTEGER of PBKDF2's parameters, behind the salt of 16 bytes.
  const salt = bytes.indexOf(Buffer.from('0410', 'hex'))
  expect(bytes.subarray(salt + 18, salt + 20).toString('hex')).toBe('0203')
  expect(bytes.readUIntBE(salt + 20, 3)).toBeGreaterThanOrEqual(600_000)
  expect(one).not.toBe(other)
})

test('a file that is replaced stays its owner’s alone and leaves nothing half-written', async () => {
  const { path } = await lockedHome()
  writeFileSync(`${path}.00ff00ff00ff.tmp`, 'of a run that died')
  const file = await readCountersignFile(join(home, 'keys'))
  await writeCountersignFile(file, parsePrivateKey(path, file.pem, PASSPHRASE))
  expect(readFileSync(path, 'utf8')).toContain('-----BEGIN PRIVATE KEY-----')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(home, 'keys')).filter((name) => name.endsWith('.tmp'))).toEqual([])
})

test('the public half of a key with a passphrase is known from trust', async () => {
  const { identity } = await lockedHome()
  expect(await publicIdentity(home, 'local')).toEqual(identity)
  expect(await createZoneKeys(home, 'local')).toEqual(identity)
  rmSync(join(home, 'trust'), { recursive: true })
  await expect(publicIdentity(home, 'local')).rejects.toMatchObject({ code: 'ERR_KEY_LOCKED' })
})

test.each<[string, (path: string) => void]>([
  ['missing', (path) => rmSync(path)],
  [
    'a link',
    (path) => {
      rmSync(path)
      symlinkSync('/dev/null', path)
    },
  ],
])('a key file that is %s is refused', async (_what, harm) => {
  const { path } = await lockedHome()
  harm(path)
  await expect(readCountersignFile(join(home, 'keys'))).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
})

test('a damaged file with a passphrase is refused without its content', async () => {
  const { path } = await lockedHome()
  const lines = readFileSync(path, 'utf8').split('\n')
  const pem = lines.with(3, (lines[3] ?? '').toLowerCase()).join('\n')
  const harmed = () => parsePrivateKey(path, pem, PASSPHRASE)
  expect(harmed).toThrow(expect.objectContaining({ code: 'ERR_KEY_LOCKED' }))
  expect(harmed).not.toThrow(lines[1])
})
