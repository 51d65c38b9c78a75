import { describe, expect, it } from 'vitest'
import { textsOf } from '#core/content-texts.ts'
import { findSecrets, SECRET_RULES } from '#core/secret-rules.ts'
import { viewsOf } from '#core/text-views.ts'
import { boundsOf } from './pattern-bounds.ts'

describe('a pattern', () => {
  it.each(['(?:a+)+b', 'x*', 'y{2,}', '[a-z]+='])('is seen to be endless: %s', (source) => {
    expect(boundsOf(source).endless.length).toBeGreaterThan(0)
  })

  it.each([
    ['ab[c-e]{2,4}', 6],
    ['(?<!x)a(?:bc|d{1,3}){0,2}', 7],
    ['\\p{L}\\d{3}(?<n>[^\\]]{1,5}\\b)', 9],
  ])('is measured: %s', (source, maxSpan) => {
    expect(boundsOf(source)).toEqual({ endless: [], maxSpan })
  })
})

describe('each rule', () => {
  it.each(SECRET_RULES.map((rule, index) => ({ index, name: rule.name, source: rule.pattern.source })))(
    '$index ($name) looks at a bounded stretch of text',
    ({ source }) => {
      const { endless, maxSpan } = boundsOf(source)
      expect(endless).toEqual([])
      expect(maxSpan).toBeLessThan(10_000)
    },
  )
})

/** Texts that send patterns of this kind back and forth. */
const HOSTILE: Readonly<Record<string, string>> = {
  'headers of keys without a key': `-----BEGIN ${'PRIVATE'} KEY-----`,
  'one long word': 'a',
  'digits in groups': '4111 1111 ',
  'addresses without an end': 'https://a:',
  'words for passwords': 'password is: ',
  'codes without a code': 'verification code ',
  'names of cookies': 'session.id.token.auth=',
  'links without a token': 'https://x.example/reset/token/',
  'braces and keys': '{"kty":"d"',
  'base64 that is none': 'QUJD-_',
  escapes: '%41&#65;\\u0041=41',
  'quotes of quotes': '> > ',
  'soft line ends': '=  ',
  blanks: ' \t',
  authorization: 'authorization: bearer ',
  'aws and secret': 'aws secret ',
  'equals and names': 'api_key_token_secret_password=',
  phrases: 'seed phrase is amber brick ',
}

describe('a text of the largest size', () => {
  it.each(Object.entries(HOSTILE))('is read to its end, made of %s', (_what, piece) => {
    const text = piece.repeat(Math.ceil((256 * 1024) / piece.length)).slice(0, 256 * 1024)
    findSecrets(text)
    // No reading is longer than what it was made of: decoding never multiplies.
    for (const view of viewsOf(text)) expect(view.text.length).toBeLessThanOrEqual(text.length)
  })

  it('is cut into pieces that overlap, so that no rule is given more and no secret is cut', () => {
    const pieces = textsOf(Buffer.from('0123456789'.repeat(100_000)))
    expect(pieces.length).toBe(5)
    for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(256 * 1024)
    for (const [index, piece] of pieces.slice(1).entries()) {
      const before = pieces[index] ?? ''
      expect(piece.slice(0, 16 * 1024)).toBe(before.slice(-16 * 1024))
    }
  })
})
