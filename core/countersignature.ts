import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { z } from 'zod'
import { canonicalJson } from './canonical-json.ts'

const RECEIPT_DOMAIN = 'countersign/receipt/v1'
/** Clocks of one machine may disagree this much (ms) before a receipt counts as from the future. */
export const CLOCK_SKEW_MS = 60_000

const isoTime = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)

const sha256 = z.string().regex(/^sha256:[0-9a-f]{64}$/)

/** A countersignature: this machine's statement that one exact action was approved here, for one use, until a time. */
export const receiptSchema = z.strictObject({
  version: z.literal('1'),
  audience: z.string().max(80),
  task: z.string().max(26),
  tool: z.string().max(60),
  digest: sha256,
  /** Where the action was approved with a place left open: the digest of what was approved, and the task whose outcome filled it. */
  filled: z.strictObject({ approved: sha256, from: z.string().max(26) }).exactOptional(),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  issued_at: isoTime,
  expires_at: isoTime,
  /** Ed25519 over the domain line and the RFC 8785 form of all other fields, base64. */
  signature: z.string().max(100),
})
export type Receipt = z.infer<typeof receiptSchema>
export type UnsignedReceipt = Omit<Receipt, 'version' | 'signature'>

/** Names a machine by its countersigning key: `key:<first 32 hex of the SPKI's SHA-256>`. */
export function audienceOf(publicKey: KeyObject): string {
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  return `key:${createHash('sha256').update(spki).digest('hex').slice(0, 32)}`
}

/** A public key as trust holds it: base64 of its SPKI. */
export function publicKeyFrom(spki: string): KeyObject {
  return createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' })
}

export function signReceipt(receipt: UnsignedReceipt, privateKey: KeyObject): Receipt {
  const unsigned = { ...receipt, version: '1' as const }
  return { ...unsigned, signature: sign(null, receiptBytes(unsigned), privateKey).toString('base64') }
}

export interface ReceiptExpectation {
  readonly publicKey: KeyObject
  readonly task: string
  readonly tool: string
  readonly digest: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** What a receipt can be refused for, and what that means. The last two are the consumed table's (`ConsumeVerdict`). */
export const RECEIPT_RULES = {
  'receipt-missing': 'there is none',
  'receipt-malformed': 'it is no receipt of the form that this program makes',
  'receipt-audience': 'it was made with the countersigning key of another machine, or with one that was replaced',
  'receipt-signature': 'this machine’s countersigning key did not sign it, or it was changed afterwards',
  'receipt-task': 'it was made for another task',
  'receipt-tool': 'it was made for another tool',
  'receipt-digest': 'the action is not, letter for letter, the one that was approved',
  'receipt-expired': 'it has expired',
  'receipt-from-the-future': 'it bears a time that is still to come',
  'receipt-no-intent': 'the running executor has not made it for anything that it is about to do',
  'receipt-spent': 'its one use is over, or the task was done already',
} as const
export type ReceiptRule = keyof typeof RECEIPT_RULES

/** For whoever called a tool that acts. */
export function sayReceiptRule(rule: ReceiptRule): string {
  return `Nothing was done. A tool that acts demands the countersignature (receipt) which the executor of this machine makes for exactly this action, for one use and a short time, after the person approved the task in the vault. About the one that was given: ${RECEIPT_RULES[rule]}.`
}

export type ReceiptVerdict =
  | { readonly ok: true; readonly receipt: Receipt }
  | { readonly ok: false; readonly rule: ReceiptRule }

/** Checks a receipt against what is about to be done. Its one use is the consumed table's business, not this function's. */
export function verifyReceipt(candidate: unknown, expected: ReceiptExpectation): ReceiptVerdict {
  if (candidate === undefined) return { ok: false, rule: 'receipt-missing' }
  const parsed = receiptSchema.safeParse(candidate)
  if (!parsed.success) return { ok: false, rule: 'receipt-malformed' }
  const { signature, ...unsigned } = parsed.data
  if (unsigned.audience !== audienceOf(expected.publicKey)) return { ok: false, rule: 'receipt-audience' }
  if (!verify(null, receiptBytes(unsigned), expected.publicKey, Buffer.from(signature, 'base64')))
    return { ok: false, rule: 'receipt-signature' }
  if (unsigned.task !== expected.task) return { ok: false, rule: 'receipt-task' }
  if (unsigned.tool !== expected.tool) return { ok: false, rule: 'receipt-tool' }
  if (unsigned.digest !== expected.digest) return { ok: false, rule: 'receipt-digest' }
  if (Date.parse(unsigned.expires_at) <= expected.now) return { ok: false, rule: 'receipt-expired' }
  if (Date.parse(unsigned.issued_at) > expected.now + CLOCK_SKEW_MS)
    return { ok: false, rule: 'receipt-from-the-future' }
  return { ok: true, receipt: parsed.data }
}

function receiptBytes(unsigned: Omit<Receipt, 'signature'>): Buffer {
  return Buffer.from(`${RECEIPT_DOMAIN}\n${canonicalJson(unsigned)}`)
}
