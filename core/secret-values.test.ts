import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { renderOpenSshKey, sshKeyPair } from './openssh-key.ts'
import { passwordInUrl, secretsIn } from './secret-values.ts'

const values = (name: string, text: string) =>
  secretsIn(name, Buffer.from(text)).map(({ bytes }) => Buffer.from(bytes).toString())

describe('what of a secret’s file is to be recognised', () => {
  const ed25519 = generateKeyPairSync('ed25519').privateKey
  const seed = Buffer.from(ed25519.export({ format: 'jwk' }).d ?? '', 'base64url')

  it('is the private half of a key, however it is wrapped', () => {
    const pem = ed25519.export({ type: 'pkcs8', format: 'pem' }).toString()
    const ssh = renderOpenSshKey(sshKeyPair(ed25519), 'cloud signing', new Uint8Array(4))
    for (const text of [pem, ssh])
      expect(secretsIn('signing', Buffer.from(text))).toEqual([{ name: 'signing', bytes: seed, kind: 'bytes' }])
  })

  it('is a prime of an RSA key, and a stretch of what nobody can read', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
    const prime = Buffer.from(rsa.export({ format: 'jwk' }).p ?? '', 'base64url').subarray(0, 64)
    expect(secretsIn('rsa', Buffer.from(rsa.export({ type: 'pkcs1', format: 'pem' })))).toEqual([
      { name: 'rsa', bytes: prime, kind: 'bytes' },
    ])
    const locked = rsa.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString()
    const [middle] = secretsIn('locked', Buffer.from(locked))
    expect(middle?.bytes).toHaveLength(64)
    expect(locked.replaceAll('\n', '')).toContain(Buffer.from(middle?.bytes ?? []).toString())
  })

  it('is the text without its line end, and each line of several', () => {
    expect(values('imap-password', 'owner-pass\r\n')).toEqual(['owner-pass'])
    expect(values('codes', 'first line\n\nsecond line\n')).toEqual([
      'first line\n\nsecond line',
      'first line',
      'second line',
    ])
    expect(values('empty', '\n')).toEqual([])
  })

  it('is every value of a JSON document that a machine chose', () => {
    const token = '1//04aBcDeFgHiJkLmNoP'
    const json = {
      type: 'authorized_user',
      token_uri: 'https://a.example/token12345',
      refresh_token: token,
      nested: { id: 'short1' },
    }
    expect(values('gmail.json', JSON.stringify(json))).toEqual([token])
    const wordlike = {
      appPassword: 'abcd-efgh-ijkl-mnop',
      token_uri: 'https://a.example/',
      kind: 'installed_application',
    }
    expect(values('bluesky', JSON.stringify(wordlike))).toEqual(['abcd-efgh-ijkl-mnop'])
    expect(values('redis-watch', '{"redis:6379":"aBcDeFgHiJkLmNoPqRsT"}')).toEqual(['aBcDeFgHiJkLmNoPqRsT'])
    expect(values('odd.json', '{"a":"b"}')).toEqual(['{"a":"b"}'])
    expect(values('brace', '{not json 1234')).toEqual(['{not json 1234'])
  })

  it('bears the file’s name in plain letters', () => {
    expect(secretsIn('My Token_File.TXT', Buffer.from('x'))[0]?.name).toBe('my-token-file.txt')
    expect(secretsIn(`.${'n'.repeat(80)}`, Buffer.from('x'))[0]?.name).toHaveLength(25)
    expect(secretsIn('---', Buffer.from('x'))[0]?.name).toBe('secret')
  })
})

describe('the password in an address', () => {
  it.each([
    ['https://me:p%40ss@host/x', 'p@ss'],
    ['redis://:geheim@127.0.0.1:6379', 'geheim'],
    ['https://me:50%@host/x', '50%'],
    ['https://host:8080/a@b', undefined],
    ['ssh://git@host:2222/vault.git', undefined],
    ['/srv/hub/vault.git', undefined],
  ])('of %s is %s', (url, password) => {
    expect(passwordInUrl(url)).toBe(password)
  })
})
