import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { DRESSES, SECRETS, turned } from '#tests/secrets/dresses.ts'
import { guardScan } from './content-scan.ts'
import type { KnownSecret } from './secret-forms.ts'
import { parseGuard, renderGuard, saltOf } from './secret-guard.ts'

const SALT = new Uint8Array(32).fill(7)
const text = (name: string, value: string): KnownSecret => ({ name, bytes: Buffer.from(value), kind: 'text' })
const key = generateKeyPairSync('ed25519').privateKey
const seed = Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url')
const GUARD = renderGuard(
  [...Object.entries(SECRETS).map(([name, value]) => text(name, value)), { name: 'key', bytes: seed, kind: 'bytes' }],
  SALT,
)
const scan = guardScan(parseGuard(GUARD))
const findIn = async (content: string | Uint8Array) =>
  (await scan.scan({ path: 'Plans/x.md', bytes: Buffer.from(content) })).map(({ rule }) => rule)

/** rot13, capitals and the like of what is no ASCII. */
const ODD = new Set(['accented in capitals', 'accented as UTF-16 without a mark'])

describe('the guard', () => {
  it.each(
    Object.entries(SECRETS).flatMap(([name, value]) =>
      Object.entries(DRESSES)
        .filter(([dress]) => !ODD.has(`${name} ${dress}`))
        .map(([dress, put]) => ({ name, dress, content: put(value) })),
    ),
  )('finds the $name secret $dress', async ({ name, content }) => {
    expect(await findIn(content)).toEqual([`known-secret.${name}`])
  })

  it.each([
    ['in its PEM file', key.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['in its PEM file, quoted', key.export({ type: 'pkcs8', format: 'pem' }).toString().replaceAll('\n', '\n> ')],
    ['in JSON', JSON.stringify(key.export({ format: 'jwk' }))],
    ['in hex', seed.toString('hex')],
    ['as bytes', Buffer.concat([Buffer.from('abc'), seed, Buffer.from('def')])],
    ['in base64, backwards', turned(seed.toString('base64'))],
  ])('finds a key %s', async (_how, content) => {
    expect(await findIn(content)).toEqual(['known-secret.key'])
  })

  it('finds a part of a long value', async () => {
    expect(await findIn(`…${SECRETS.generated.slice(4, 27)}…`)).toEqual(['known-secret.generated'])
    expect(await findIn(`…${SECRETS.generated.slice(0, 18)}…`)).toEqual([])
  })

  it('finds nothing in other words', async () => {
    const words = ['Blaue Katzen, 17 an der Zahl', 'ab c4e', 'tulips in the harbor', SECRETS.chosen.slice(0, 10)]
    for (const one of words) expect(await findIn(one.repeat(50))).toEqual([])
  })

  it('holds no value, and is the same again for the same salt', () => {
    for (const value of Object.values(SECRETS)) expect(GUARD.toLowerCase()).not.toContain(value.toLowerCase())
    expect(saltOf(GUARD)).toEqual(Buffer.from(SALT))
    const again = [...Object.entries(SECRETS).map(([name, value]) => text(name, value))].reverse()
    expect(renderGuard([...again, { name: 'key', bytes: seed, kind: 'bytes' }], saltOf(GUARD))).toBe(GUARD)
    expect(renderGuard([], new Uint8Array(32))).not.toBe(renderGuard([], SALT))
  })

  it('knows nothing of values under eight bytes', async () => {
    const guard = parseGuard(renderGuard([text('tiny', 'seven77')], SALT))
    expect(guard.find(Buffer.from('seven77'))).toBeUndefined()
  })

  it.each(['', '{', '{"schema":2}', GUARD.replace(/"prints": \[/, '"prints": ["x",')])(
    'is refused whole when it is damaged: %j',
    (damaged) => {
      expect(() => parseGuard(damaged)).toThrow(expect.objectContaining({ code: 'ERR_GUARD_MISSING' }))
    },
  )
})
