import { createHash } from 'node:crypto'

/** JSON data: what a canonical form can be made of. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/**
 * RFC 8785 (JSON Canonicalization Scheme): keys sorted by UTF-16 code units, no spaces, ECMAScript's own number and
 * string forms. Throws TypeError on what has no canonical form: undefined, lone surrogates, non-finite numbers,
 * anything but plain objects and arrays.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('canonical JSON: lone surrogate in a string')
    return JSON.stringify(value)
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('canonical JSON: number is not finite')
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object' && isPlain(value)) {
    const fields = Object.keys(value)
      .sort()
      .map((key) => `${canonicalJson(key)}:${canonicalJson((value as Record<string, unknown>)[key])}`)
    return `{${fields.join(',')}}`
  }
  throw new TypeError(`canonical JSON: cannot hold ${typeof value}`)
}

/** `sha256:<hex>` over a domain-separation line and the canonical form, so that no digest of one kind passes for another. */
export function domainDigest(domain: string, value: unknown): string {
  return `sha256:${createHash('sha256').update(`${domain}\n`).update(canonicalJson(value)).digest('hex')}`
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
