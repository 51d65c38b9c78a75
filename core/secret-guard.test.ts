import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { guardScan } from './content-scan.ts'
import type { KnownSecret } from './secret-forms.ts'
import { parseGuard, renderGuard, saltOf } from './secret-guard.ts'

const SALT = new Uint8Array(32).fill(7)
const text = (name: string, value: string): KnownSecret => ({ name, bytes: Buffer.from(value), kind: 'text' })
const key = generateKeyPairSync('ed25519').privateKey
const seed = Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url')
const SECRETS = {
  generated: 'kN3_vq8Zt-Lw2RrXb6YpMd0HsGfUjEaC',
  chosen: 'Blaue+Katze/17!',
  short: 'ab-c4e_9',
  phrase: 'tulip harbor 44 moss window',
  accented: 'pässwörd-größe-91',
}
const GUARD = renderGuard(
  [...Object.entries(SECRETS).map(([name, value]) => text(name, value)), { name: 'key', bytes: seed, kind: 'bytes' }],
  SALT,
)
const scan = guardScan(parseGuard(GUARD))
const findIn = async (content: string | Uint8Array) =>
  (await scan.scan({ path: 'Plans/x.md', bytes: Buffer.from(content) })).map(({ rule }) => rule)

const turned = (value: string) => [...value].reverse().join('')
const rot13 = (value: string) =>
  value.replace(/[a-z]/gi, (one) => {
    const base = one <= 'Z' ? 65 : 97
    return String.fromCharCode(((one.charCodeAt(0) - base + 13) % 26) + base)
  })
const between = (value: string, filler: string) => [...value].join(filler)
const base64 = (value: string) => Buffer.from(value).toString('base64')

/** How a program, a mail or a model that was talked into it would write a value. */
const DRESSES: Readonly<Record<string, (value: string) => string | Uint8Array>> = {
  'as it is': (value) => `the value is ${value}, they said`,
  'in capitals': (value) => value.toUpperCase(),
  'in base64': (value) => base64(value),
  'in base64 after one byte': (value) => base64(`x${value}yz`),
  'in base64 after two bytes': (value) => base64(`xx${value}`),
  'in base64url within JSON': (value) => Buffer.from(`{"v":"${value}"}`).toString('base64url'),
  'in base64, wrapped and quoted': (value) => base64(`a note: ${value} and more`).replace(/.{11}/g, '$&\n> '),
  'in hex': (value) => Buffer.from(value).toString('hex'),
  'in capital hex with colons': (value) =>
    (Buffer.from(value).toString('hex').toUpperCase().match(/../g) ?? []).join(':'),
  'in a link': (value) => `https://a.example/?q=${encodeURIComponent(value)}&x=1`,
  'with every byte escaped for a link': (value) =>
    [...Buffer.from(value)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  backwards: (value) => turned(value),
  'backwards in base64': (value) => base64(turned(value)),
  'in rot13': (value) => rot13(value),
  'over two quoted lines': (value) => `> ${value.slice(0, 5)}\n> ${value.slice(5)}`,
  'with zero-width characters': (value) => between(value, '\u200b'),
  'with marks for zero-width characters': (value) => between(value, '⟦U+200B⟧'),
  'spaced out': (value) => between(value, ' '),
  'with emphasis within': (value) => `${value.slice(0, 4)}**${value.slice(4)}**`,
  'as entities': (value) => [...value].map((one) => `&#${one.codePointAt(0)};`).join(''),
  'as quoted-printable': (value) =>
    [...Buffer.from(value)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  'in wide letters': (value) => value.replace(/[!-~]/g, (one) => String.fromCharCode(one.charCodeAt(0) + 0xfee0)),
  'as UTF-16': (value) => Buffer.from(`\ufeff${value}`, 'utf16le'),
  'as UTF-16 without a mark': (value) => Buffer.from(`note ${value}`, 'utf16le'),
  'among other bytes': (value) =>
    Buffer.concat([Buffer.from([0, 255, 254, 1]), Buffer.from(value), Buffer.from([0, 200])]),
}
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
