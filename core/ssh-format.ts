/** One field of ssh's binary formats: its length in four bytes, then its bytes. */
export function sshString(bytes: string | Uint8Array): Buffer {
  const content = Buffer.from(bytes as Uint8Array)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  return Buffer.concat([length, content])
}

/** The first `count` fields and what follows them; undefined when the bytes end before that. */
export function readSshStrings(
  bytes: Uint8Array,
  count: number,
): { readonly fields: readonly Buffer[]; readonly rest: Buffer } | undefined {
  let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const fields: Buffer[] = []
  while (fields.length < count) {
    if (rest.length < 4) return undefined
    const end = 4 + rest.readUInt32BE(0)
    if (rest.length < end) return undefined
    fields.push(rest.subarray(4, end))
    rest = rest.subarray(end)
  }
  return { fields, rest }
}

/** Bytes as the text that OpenSSH writes into files: base64 in lines of 70, between a first and a last line. */
export function sshArmor(label: string, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes).toString('base64')
  return `-----BEGIN ${label}-----\n${base64.replace(/.{1,70}/g, '$&\n')}-----END ${label}-----\n`
}

/** The bytes of an armored text; undefined unless it is, character for character, what `sshArmor` makes of them. */
export function readSshArmor(label: string, text: string): Buffer | undefined {
  const bytes = Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64')
  return sshArmor(label, bytes) === text ? bytes : undefined
}
