/** A secret that the guard is to know. */
export interface KnownSecret {
  /** For messages: `imap-password`, `signing`. Lower case, digits, dots and hyphens. */
  readonly name: string
  readonly bytes: Uint8Array
  /** `bytes`: a key as it is, known by its encodings alone. */
  readonly kind: 'text' | 'bytes'
}

/** A secret in plain and in every dress that a program or a model would put on it, as bytes. */
export function formsOf({ bytes, kind }: KnownSecret): Uint8Array[] {
  const plain = Buffer.from(bytes)
  const text = kind === 'text' ? plain.toString('utf8').normalize('NFKC') : plain.toString('base64').replace(/=+$/, '')
  return [
    plain,
    ...base64Forms(plain),
    Buffer.from(plain.toString('hex')),
    ...[text, encodeURIComponent(text), reversed(text), rot13(text)].map((one) => Buffer.from(one)),
    Buffer.from(Buffer.from(reversed(text)).toString('base64').replace(/=+$/, '')),
  ]
}

/** As it appears at any place of something longer that is encoded: the letters that depend on these bytes alone. */
function base64Forms(bytes: Buffer): Buffer[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes, Buffer.alloc(2)]).toString('base64')
    return Buffer.from(encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6)))
  })
}

function reversed(text: string): string {
  return [...text].reverse().join('')
}

function rot13(text: string): string {
  return text.replace(/[A-Za-z]/g, (letter) => {
    const base = letter <= 'Z' ? 65 : 97
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base)
  })
}
