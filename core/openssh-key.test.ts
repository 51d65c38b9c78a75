import { generateKeyPairSync } from 'node:crypto'
import { expect, it } from 'vitest'
import { parseOpenSshKey, readPublicBlob, renderOpenSshKey, sshKeyPair, sshPublicKey } from './openssh-key.ts'
import { readSshArmor, sshArmor } from './ssh-format.ts'

const pair = sshKeyPair(generateKeyPairSync('ed25519').privateKey)
const CHECK = Buffer.from([1, 2, 3, 4])

it('a key file reads back, whatever its comment', () => {
  for (const comment of ['', 'a', 'cloud signing', 'ä'.repeat(100)]) {
    const parsed = parseOpenSshKey(renderOpenSshKey(pair, comment, CHECK))
    if ('problem' in parsed) throw new Error(parsed.problem)
    expect(sshPublicKey(parsed)).toBe(sshPublicKey(pair))
    expect(parsed.privateKey.equals(pair.privateKey)).toBe(true)
  }
})

it('a key file with any changed bit is no key', () => {
  const label = 'OPENSSH PRIVATE KEY'
  const bytes = readSshArmor(label, renderOpenSshKey(pair, '', CHECK)) ?? Buffer.alloc(0)
  expect(bytes.length).toBeGreaterThan(200)
  // The check bytes come twice: changed in both they are others.
  for (let at = 0; at < bytes.length * 8; at++) {
    const changed = Buffer.from(bytes)
    changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7))
    expect(parseOpenSshKey(sshArmor(label, changed)), `bit ${at}`).toHaveProperty('problem')
  }
})

it('a public key is exactly its type and 32 bytes', () => {
  expect(readPublicBlob(pair.publicBlob)?.asymmetricKeyType).toBe('ed25519')
  for (const blob of [pair.publicBlob.subarray(1), Buffer.concat([pair.publicBlob, CHECK]), CHECK, Buffer.alloc(51)])
    expect(readPublicBlob(blob)).toBeUndefined()
})
