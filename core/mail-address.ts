import { domainToASCII, domainToUnicode } from 'node:url'

/** Before the @: letters of any script, and the marks that need no quoting. */
const LOCAL_PART = /^[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+)*$/u
/** As it may be written: the conversion to ASCII itself would drop what cannot be seen, and stop at a slash. */
const WRITTEN_DOMAIN = /^[\p{L}\p{N}\p{M}-]+(?:\.[\p{L}\p{N}\p{M}-]+)+$/u
const DOMAIN = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/
const MAX_LOCAL_BYTES = 64
const MAX_ADDRESS_BYTES = 254

/**
 * The one spelling of a bare address: the domain in lower-case ASCII (punycode), what stands before the @ as it was
 * written. undefined: no plain address (quoted, without a dot in the domain, too long, with invisible characters).
 */
export function canonicalAddress(text: string): string | undefined {
  const at = text.lastIndexOf('@')
  const local = text.slice(0, Math.max(at, 0))
  const written = text.slice(at + 1)
  const domain = WRITTEN_DOMAIN.test(written) ? domainToASCII(written) : ''
  const address = `${local}@${domain}`
  const fits = Buffer.byteLength(local) <= MAX_LOCAL_BYTES && Buffer.byteLength(address) <= MAX_ADDRESS_BYTES
  const isPlain = LOCAL_PART.test(local) && local === local.normalize('NFC') && DOMAIN.test(domain)
  return fits && isPlain ? address : undefined
}

/** Whether the address needs a server that takes more than ASCII (SMTPUTF8): its domain never does. */
export function isEightBit(address: string): boolean {
  return /[^\u0000-\u007f]/.test(address)
}

/** The domain as people read it, where that differs from how it stands in the address. */
export function readableDomain(address: string): string | undefined {
  const domain = address.slice(address.lastIndexOf('@') + 1)
  const readable = domainToUnicode(domain)
  return readable === '' || readable === domain ? undefined : readable
}
