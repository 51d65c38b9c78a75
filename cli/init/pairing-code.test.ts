import { deflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { documentIn, isPairingCode, pairingCode } from './pairing-code.ts'

const DOCUMENT = JSON.stringify({ schema: 'countersign-pairing/1', agent: { name: 'cloud' }, hub: { url: 'ssh://x' } })

test('a code brings the document across, also in several lines', () => {
  const code = pairingCode(`${JSON.stringify(JSON.parse(DOCUMENT), null, 2)}\n`)
  expect(code).toMatch(/^cs1-[\w-]{8}-[\w-]+$/)
  expect(documentIn(code)).toBe(DOCUMENT)
  expect(documentIn(` ${code.slice(0, 40)}\r\n  ${code.slice(40)}\n`)).toBe(DOCUMENT)
})

test('a code that lost, gained or changed any one character is refused', () => {
  const code = pairingCode(DOCUMENT)
  for (let at = 4; at < code.length; at++) {
    const other = code[at] === 'A' ? 'B' : 'A'
    for (const spoilt of [
      code.slice(0, at) + code.slice(at + 1),
      code.slice(0, at) + other + code.slice(at + 1),
      `${code.slice(0, at)}A${code.slice(at)}`,
      code.slice(0, at),
    ])
      if (spoilt !== code) expect(() => documentIn(spoilt), spoilt).toThrow(/not whole/)
  }
})

test('a code that unpacks to more than any document has is refused', () => {
  const bomb = pairingCode(JSON.stringify('x'.repeat(200_000)))
  expect(() => documentIn(bomb)).toThrow(/nothing that can be unpacked/)
  expect(bomb.length).toBeLessThan(deflateRawSync(DOCUMENT).length + 1_000)
})

test('a file name is no code', () => {
  expect([isPairingCode('pairing-cloud.json'), isPairingCode('./cs1-x'), isPairingCode('cs1-abc')]).toEqual([
    false,
    false,
    true,
  ])
})

test('a code is known without its beginning, between quotation marks, and of another form', () => {
  const long = pairingCode(
    JSON.stringify({ schema: 'countersign-pairing/1', agent: { name: 'cloud', key: 'k3y'.repeat(40) } }),
  )
  const document = documentIn(long)
  for (const given of [long.slice('cs1-'.length), `"${long}"`, `\u2018${long}\u2019`]) {
    expect(isPairingCode(given)).toBe(true)
    expect(documentIn(given)).toBe(document)
  }
  const newer = long.replace('cs1-', 'cs2-')
  expect(isPairingCode(newer)).toBe(true)
  expect(() => documentIn(newer)).toThrow(/newer form .* same version/)
})
