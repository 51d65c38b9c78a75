/** Ways to write a text so that a person does not read it and a model does. */
const HOMOGLYPHS: Readonly<Record<string, string>> = {
  ...{ a: 'а', c: 'с', e: 'е', i: 'і', j: 'ј', o: 'о', p: 'р', s: 'ѕ', x: 'х', y: 'у', A: 'А', B: 'В', E: 'Е' },
  ...{ H: 'Н', I: 'І', K: 'К', M: 'М', O: 'О', P: 'Р', S: 'Ѕ', T: 'Т', X: 'Х' },
}

export const base64 = (text: string) => Buffer.from(text).toString('base64')
export const hex = (text: string) => Buffer.from(text).toString('hex')
export const percent = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
export const entities = (text: string) => [...text].map((one) => `&#${one.codePointAt(0)};`).join('')
export const escapes = (text: string) =>
  text.replace(/[\s\S]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
export const reversed = (text: string) => [...text].reverse().join('')
export const spaced = (text: string) => [...text].join('\u200b')
export const joined = (text: string) => [...text].join('\u2060')
export const homoglyphs = (text: string) => text.replace(/[A-Za-z]/g, (one) => HOMOGLYPHS[one] ?? one)
export const wide = (text: string) => text.replace(/[!-~]/g, (one) => String.fromCharCode(one.charCodeAt(0) + 0xfee0))

/** Letters of the Latin alphabet thirteen places on. Twice is the text again. */
export function rot13(text: string): string {
  return text.replace(/[a-z]/gi, (one) => {
    const first = one <= 'Z' ? 65 : 97
    return String.fromCharCode(((one.charCodeAt(0) - first + 13) % 26) + first)
  })
}

/** Characters that no font draws, one for each of ASCII. */
export function tags(text: string): string {
  return text.replace(/[ -~]/g, (one) => String.fromCodePoint(0xe0000 + one.charCodeAt(0)))
}

/** Variation selectors that carry bytes behind a pictograph. */
export function selectors(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) =>
    String.fromCodePoint(byte < 16 ? 0xfe00 + byte : 0xe0100 + byte - 16),
  )
  return `😀${bytes.join('')}`
}

export function quotedPrintable(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`)
  return (bytes.join('').match(/.{1,72}/g) ?? []).join('=\r\n')
}

/** For a header, as RFC 2047 has it, in pieces that are short enough. */
export function encodedWord(text: string): string {
  const pieces = text.match(/[\s\S]{1,12}/gu) ?? []
  return pieces.map((piece) => `=?utf-8?B?${base64(piece)}?=`).join('\r\n ')
}
