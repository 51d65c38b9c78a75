import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderOpenSshKey, sshKeyPair, sshPublicKey } from '#core/openssh-key.ts'
import { sshFingerprint } from '#core/trust.ts'
import { commitSignature, readSigningKey, signCommit, withSignature } from './ssh-signature.ts'

/** Made by git and ssh-keygen. */
const BY_GIT = `tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904
author cloud <cloud@countersign.invalid> 1795643273 +0000
committer cloud <cloud@countersign.invalid> 1795643273 +0000
gpgsig -----BEGIN SSH SIGNATURE-----
 U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgv7uX2LerrEw+JAmHJ0Wseib65w
 cnG9B8xQRyNSzPMtoAAAADZ2l0AAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1NTE5
 AAAAQB04MQXFrh/vE4L0UZJVxJ7deWsw5ysew1rZyjDs6VBimOGcSaz4wYqVmvSOY7LYeV
 140agCXfVoeGoonfyLHwI=
 -----END SSH SIGNATURE-----

Sync 1 path from cloud

Nonce: 0123
`
const GITS_KEY = 'SHA256:PPsEENxAoODHMN9RDNKi4cwxzKDONxlrlMFDBhl4bus'

const key = sshKeyPair(generateKeyPairSync('ed25519').privateKey)
const fingerprint = sshFingerprint(sshPublicKey(key))
const PARENT = `parent ${'1'.repeat(40)}\n`
const TREE = `tree ${'2'.repeat(40)}\n`
const PEOPLE = 'author ä <a@x> 1 +0000\ncommitter c <c@x> 2 +0100\n'
const PAYLOAD = Buffer.from(`${TREE}${PARENT}${PEOPLE}\nSync ✓\n\nNonce: 00ff\n`)
const signed = (payload = PAYLOAD) => withSignature(payload, signCommit(payload, key))

const field = (bytes: string | Uint8Array) => {
  const size = Buffer.alloc(4)
  size.writeUInt32BE(bytes.length)
  return Buffer.concat([size, Buffer.from(bytes as Uint8Array)])
}

/** A signature over the same bytes with some of its parts other than ours: valid but for them. */
function oddSignature(odd: {
  magic?: string
  version?: number
  blob?: Uint8Array
  namespace?: string
  reserved?: string
  hash?: string
  type?: string
  shape?: (signature: Uint8Array) => Uint8Array
  tail?: string
  innerTail?: string
  key?: KeyObject
}): Uint8Array {
  const { magic = 'SSHSIG', version = 1, hash = 'sha512', shape = (bytes) => bytes } = odd
  const terms = [field(odd.namespace ?? 'git'), field(odd.reserved ?? ''), field(hash)]
  const digest = createHash(hash).update(PAYLOAD).digest()
  const made = sign(null, Buffer.concat([Buffer.from(magic), ...terms, field(digest)]), odd.key ?? key.privateKey)
  return Buffer.concat([
    Buffer.from(magic),
    Buffer.from([0, 0, 0, version]),
    field(odd.blob ?? key.publicBlob),
    ...terms,
    field(Buffer.concat([field(odd.type ?? 'ssh-ed25519'), field(shape(made)), Buffer.from(odd.innerTail ?? '')])),
    Buffer.from(odd.tail ?? ''),
  ])
}

function armored(bytes: Uint8Array, width = 70, label = 'SSH SIGNATURE'): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(new RegExp(`.{1,${width}}`, 'g')) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join('\n')
}

const withLines = (...lines: string[]) =>
  Buffer.from(`${TREE}${PARENT}${PEOPLE}${lines.join('')}\nSync ✓\n\nNonce: 00ff\n`)
const signatureLines = (text = armored(oddSignature({}))) => `gpgsig ${text.replaceAll('\n', '\n ')}\n`

describe('a commit’s signature', () => {
  it('made by git is good and names its key', () => {
    expect(commitSignature(Buffer.from(BY_GIT))).toEqual({ state: 'good', fingerprint: GITS_KEY })
  })

  it('made here is good, wherever the bytes lie', () => {
    expect(commitSignature(signed())).toEqual({ state: 'good', fingerprint })
    const shared = Buffer.concat([Buffer.from('before'), signed(), Buffer.from('after')])
    expect(commitSignature(shared.subarray(6, -5))).toEqual({ state: 'good', fingerprint })
    expect(commitSignature(withLines(signatureLines()))).toEqual({ state: 'good', fingerprint })
  })

  it.each([
    ['a root commit', `${TREE}${PEOPLE}\nfirst\n`],
    ['a merge', `${TREE}${PARENT}${PARENT}${PEOPLE}\nmerge\n`],
    ['no message', `${TREE}${PARENT}${PEOPLE}\n`],
    ['blank lines and a signature in the message', `${TREE}${PARENT}${PEOPLE}\n\n\n${signatureLines()}\n`],
  ])('covers %s', (_what, text) => {
    expect(commitSignature(signed(Buffer.from(text)))).toEqual({ state: 'good', fingerprint })
    expect(commitSignature(Buffer.from(text))).toEqual({ state: 'unsigned' })
  })

  it('breaks with any bit of the commit', () => {
    const whole = signed()
    for (let at = 0; at < whole.length * 8; at++) {
      const changed = Buffer.from(whole)
      changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7))
      expect(commitSignature(changed).state, `bit ${at}`).not.toBe('good')
    }
  })

  it('breaks with any byte taken away or put in', () => {
    const whole = signed()
    for (let at = 0; at <= whole.length; at++)
      for (const [taken, put] of [
        [1, ''],
        [0, '\n'],
        [0, ' '],
        [0, '\0'],
        [0, 'A'],
        [0, '='],
      ] as const) {
        const changed = Buffer.concat([whole.subarray(0, at), Buffer.from(put), whole.subarray(at + taken)])
        if (!changed.equals(whole)) expect(commitSignature(changed).state, `byte ${at} ${put}`).not.toBe('good')
      }
  })

  const other = generateKeyPairSync('ed25519')
  it.each<[string, Uint8Array]>([
    ['another namespace', oddSignature({ namespace: 'file' })],
    ['a namespace that begins like ours', oddSignature({ namespace: 'git\0' })],
    ['something reserved', oddSignature({ reserved: 'x' })],
    ['another hash', oddSignature({ hash: 'sha256' })],
    ['another version', oddSignature({ version: 2 })],
    ['another magic word', oddSignature({ magic: 'SSHSIH' })],
    ['another type of key', oddSignature({ type: 'ssh-rsa' })],
    [
      'another type of key in the public key',
      oddSignature({ blob: Buffer.concat([field('ssh-rsa'), field(key.publicBlob.subarray(-32))]) }),
    ],
    ['a public key with a tail', oddSignature({ blob: Buffer.concat([key.publicBlob, Buffer.from('x')]) })],
    ['a public key that is too short', oddSignature({ blob: key.publicBlob.subarray(0, -1) })],
    ['no public key', oddSignature({ blob: Buffer.alloc(0) })],
    ['the public key of somebody else', oddSignature({ key: other.privateKey })],
    ['a signature that is too short', oddSignature({ shape: (made) => made.subarray(0, 63) })],
    ['a signature that is too long', oddSignature({ shape: (made) => Buffer.concat([made, Buffer.from([0])]) })],
    ['a signature of zeros', oddSignature({ shape: () => Buffer.alloc(64) })],
    ['no signature', oddSignature({ shape: () => Buffer.alloc(0) })],
    ['bytes after the signature', oddSignature({ innerTail: 'x' })],
    ['bytes after the end', oddSignature({ tail: 'x' })],
    ['nothing', Buffer.alloc(0)],
    ['a length beyond the end', Buffer.concat([Buffer.from('SSHSIG'), Buffer.from([0, 0, 0, 1, 255, 255, 255, 255])])],
  ])('with %s is bad', (_what, bytes) => {
    expect(commitSignature(withLines(signatureLines(armored(bytes))))).toEqual({ state: 'bad' })
  })

  const plain = armored(oddSignature({}))
  it.each<[string, string[]]>([
    ['twice', [signatureLines(), signatureLines()]],
    ['with one for another hash of git', [signatureLines(), signatureLines().replace('gpgsig', 'gpgsig-sha256')]],
    ['only for another hash of git', [signatureLines().replace('gpgsig', 'gpgsig-sha256')]],
    ['in lines of another length', [signatureLines(armored(oddSignature({}), 76))]],
    ['in one line', [signatureLines(plain.replace(/(?<=[^-])\n(?=[^-])/g, ''))]],
    ['with Windows line ends', [signatureLines(plain.replaceAll('\n', '\r\n'))]],
    ['with a space at a line’s end', [signatureLines(plain.replace('\n', ' \n'))]],
    ['with a blank line', [signatureLines(plain.replace('\n', '\n\n'))]],
    ['with a line before it', [signatureLines(`x\n${plain}`)]],
    ['with a line after it', [signatureLines(`${plain}\nx`)]],
    ['under another name', [signatureLines(armored(oddSignature({}), 70, 'PGP SIGNATURE'))]],
    ['without its end', [signatureLines(plain.replace(/\n-----END.*/, ''))]],
    ['empty', ['gpgsig \n']],
  ])('that stands %s is bad', (_what, lines) => {
    expect(commitSignature(withLines(...lines))).toEqual({ state: 'bad' })
  })

  it.each([
    ['a tag that was merged', `mergetag object ${'1'.repeat(40)}\n type commit\n`],
    ['an encoding', 'encoding latin1\n'],
    ['a header nobody knows', 'x y\n'],
    ['a continued line', ' x\n'],
    ['a parent behind the author', PARENT],
    ['a second tree', TREE],
    ['a second author', PEOPLE],
  ])('over a commit with %s is bad, valid as it is', (_what, lines) => {
    const payload = Buffer.from(`${TREE}${PARENT}${PEOPLE}${lines}\nSync\n`)
    expect(commitSignature(signed(payload))).toEqual({ state: 'bad' })
    const before = signed(payload)
      .toString()
      .replace(lines, '')
      .replace('\n\nSync', () => `\n${lines}\nSync`)
    expect(commitSignature(Buffer.from(before))).toEqual({ state: 'bad' })
  })

  it('that stands before the author is bad', () => {
    const moved = Buffer.from(`${TREE}${PARENT}${signatureLines()}${PEOPLE}\nSync ✓\n\nNonce: 00ff\n`)
    expect(commitSignature(moved)).toEqual({ state: 'bad' })
  })

  it('of another commit is bad', () => {
    const [text] = /^gpgsig [\s\S]*END SSH SIGNATURE-----\n/m.exec(BY_GIT) ?? ['']
    expect(commitSignature(withLines(text))).toEqual({ state: 'bad' })
  })

  it.each([
    ['nothing', ''],
    ['no header', '\nmessage\n'],
    ['no end of the header', TREE + PEOPLE],
    ['no tree', PEOPLE],
    ['a short tree', `tree 1234\n${PEOPLE}\n`],
    ['no author', `${TREE}committer c <c@x> 2 +0100\n\n`],
    ['a null byte in its message', `${TREE}${PEOPLE}\na\0b`],
    ['a null byte in a name', `${TREE}${PEOPLE.replace('ä', '\0')}\n`],
    ['an encoding and no signature', `${TREE}${PEOPLE}encoding x\n\n`],
  ])('is bad where the commit has %s', (_what, text) => {
    expect(commitSignature(Buffer.from(text))).toEqual({ state: 'bad' })
    expect(commitSignature(text === '' ? Buffer.from(text) : signed(Buffer.from(text))).state).not.toBe('good')
  })
})

describe('the signing key', () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'countersign-signing-'))
  })
  afterAll(() => rmSync(dir, { recursive: true }))

  const whole = renderOpenSshKey(key, 'cloud signing', Buffer.from([1, 2, 3, 4]))

  it('reads back from its file', async () => {
    const file = join(dir, 'key')
    writeFileSync(file, whole)
    expect(sshPublicKey(await readSigningKey(file))).toBe(sshPublicKey(key))
  })

  it.each([
    ['no key', 'hello\n', /is no OpenSSH private key/],
    [
      'a key of another form',
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }),
      /is no OpenSSH private key/,
    ],
    ['a key cut short', whole.slice(0, -60), /is no OpenSSH private key/],
    [
      'a key without its last lines',
      armored(Buffer.from(whole.split('\n').slice(1, -4).join(''), 'base64'), 70, 'OPENSSH PRIVATE KEY').concat('\n'),
      /is no Ed25519 key/,
    ],
  ])('is refused when the file holds %s, and not repeated', async (_what, text, says) => {
    const file = join(dir, 'key')
    writeFileSync(file, text)
    const error = await readSigningKey(file).catch((reason: Error) => reason)
    expect(error).toMatchObject({ code: 'ERR_CONFIG_INVALID', message: expect.stringMatching(says) })
    expect(String(error)).not.toContain(String(text).split('\n')[1]?.slice(0, 20) || 'never')
  })

  it('is refused when it is not there', async () => {
    await expect(readSigningKey(join(dir, 'none'))).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: expect.stringContaining('ENOENT'),
    })
  })
})
