/** Values as a generator, a person and a policy make them. */
export const SECRETS = {
  generated: 'kN3_vq8Zt-Lw2RrXb6YpMd0HsGfUjEaC',
  chosen: 'Blaue+Katze/17!',
  short: 'ab-c4e_9',
  phrase: 'tulip harbor 44 moss window',
  accented: 'pässwörd-größe-91',
}

export const turned = (value: string) => [...value].reverse().join('')
const rot13 = (value: string) =>
  value.replace(/[a-z]/gi, (one) => {
    const base = one <= 'Z' ? 65 : 97
    return String.fromCharCode(((one.charCodeAt(0) - base + 13) % 26) + base)
  })
const between = (value: string, filler: string) => [...value].join(filler)
const base64 = (value: string) => Buffer.from(value).toString('base64')

/** How a program, a mail or a model that was talked into it would write a value. */
export const DRESSES: Readonly<Record<string, (value: string) => string | Uint8Array>> = {
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
