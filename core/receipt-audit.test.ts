import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { JsonValue } from './canonical-json.ts'
import { audienceOf, type Receipt, signReceipt } from './countersignature.ts'
import { chainEntry, type LedgerEntry, type LedgerType, renderLedgerLine, verifyChain } from './ledger.ts'
import { auditReceipts, type CountersignKey, type DoneFile } from './receipt-audit.ts'

const TASK = '01J8Z3W6Q0ABCDEFGHJKMNPQRS'
const OTHER = '01J8Z3W6Q0ABCDEFGHJKMNPQRT'
const DIGEST = `sha256:${'a'.repeat(64)}`
const AT = '2026-11-20T10:00:00.000Z'
const LATER = '2026-11-20T12:00:00.000Z'
const [old, present, stranger] = [0, 1, 2].map(() => generateKeyPairSync('ed25519'))
if (!old || !present || !stranger) throw new Error('no keys')
const KEYS: CountersignKey[] = [
  { agent: 'local', publicKey: present.publicKey },
  { agent: 'local', publicKey: old.publicKey, retiredAt: LATER },
]

type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
function receipt(changed: Partial<Omit<Receipt, 'signature' | 'version'>> = {}, pair: Pair = present as Pair): Receipt {
  const audience = audienceOf(pair.publicKey)
  const [nonce, expires_at] = ['0'.repeat(32), '2026-11-20T11:00:00.000Z']
  const plain = { audience, task: TASK, tool: 'email.send_email', digest: DIGEST, nonce, issued_at: AT, expires_at }
  return signReceipt({ ...plain, ...changed }, pair.privateKey)
}

type Draft = readonly [LedgerType, { readonly [key: string]: JsonValue }, string?]
const intended = (one: Receipt, task = TASK): Draft => [
  'execution.intended',
  { digest: one.digest, nonce: one.nonce },
  task,
]
const done = (one: Receipt, more: object = {}): Draft => [
  'execution.done',
  { digest: DIGEST, receipt: { ...one }, answer: '250 ok', ...more },
]
const rotated: Draft = ['key.rotated', { old: audienceOf(old.publicKey), new: audienceOf(present.publicKey) }]

/** A ledger of these entries; `skip` of them are not looked at. */
function ledger(drafts: readonly Draft[], skip = 0, agent = 'local') {
  const entries: LedgerEntry[] = []
  for (const [type, data, task = TASK] of drafts)
    entries.push(chainEntry(entries.at(-1) ?? null, { at: AT, agent, type, task, data }))
  const text = entries
    .slice(skip)
    .map((entry) => `${renderLedgerLine(entry)}\n`)
    .join('')
  const before = entries[skip - 1]
  return verifyChain(agent, [{ name: '2026-11-20.jsonl', text }], before ?? null)
}
const problems = (drafts: readonly Draft[], skip = 0, files: DoneFile[] = []) =>
  auditReceipts([ledger(drafts, skip)], KEYS, files).map(({ problem }) => problem)

describe('receipts in the ledger', () => {
  test('hold when they were announced, by the present key and by one that was replaced since', () => {
    const before = receipt({ nonce: '1'.repeat(32) }, old)
    const after = receipt({}, present)
    expect(problems([intended(before), done(before), rotated, intended(after), done(after)])).toEqual([])
  })

  test('hold when the outcome came to light only after the key was replaced', () => {
    const before = receipt({}, old)
    expect(problems([intended(before), rotated, done(before)])).toEqual([])
  })

  test('hold when a crash made the executor write the same entry twice', () => {
    expect(problems([intended(receipt()), done(receipt()), done(receipt())])).toEqual([])
  })

  test('of another task are a fault, with task, file and line', () => {
    const faults = auditReceipts([ledger([intended(receipt()), done(receipt({ task: OTHER }))])], KEYS)
    const problem = expect.stringContaining('made for another task')
    expect(faults).toEqual([{ agent: 'local', file: '2026-11-20.jsonl', line: 2, seq: 2, task: TASK, problem }])
  })

  const one = receipt()
  test.each<[string, RegExp, Draft[]]>([
    ['by a stranger’s key', /nobody here knows \(key:/, [intended(one), done(receipt({}, stranger))]],
    ['with a forged signature', /did not sign it/, [intended(one), done({ ...one, expires_at: LATER })]],
    [
      'for another action',
      /not, letter for letter/,
      [intended(one), done(one, { digest: `sha256:${'b'.repeat(64)}` })],
    ],
    [
      'of another tool than the entry names',
      /another tool/,
      [intended(one), done(one, { tool: 'social.publish_post' })],
    ],
    ['of no known form', /no receipt of the form/, [intended(one), done(one, { receipt: { nonce: one.nonce } })]],
    ['that are missing', /without a countersignature/, [intended(one), ['execution.done', { digest: DIGEST }]]],
    ['used twice', /used twice: entry 2 of local/, [intended(one), done(one), done(one, { answer: '250 again' })]],
    ['never announced', /no entry before it says/, [done(one)]],
    ['announced afterwards', /no entry before it says/, [done(one), intended(one)]],
    ['announced for another task', /meant for something else \(entry 1\)/, [intended(one, OTHER), done(one)]],
    [
      'by a key that had been replaced, whatever time they bear',
      /after its key was replaced \(entry 1\)/,
      [rotated, intended(receipt({}, old)), done(receipt({}, old))],
    ],
    [
      'that bear a time after their key was replaced',
      /after its key was replaced at 2026-11-20T12/,
      [
        intended(one),
        done(receipt({ issued_at: '2026-11-20T12:01:00.001Z', expires_at: '2026-11-20T13:00:00.000Z' }, old)),
      ],
    ],
  ])('%s are a fault', (_what, message, drafts) => {
    expect(problems(drafts)).toEqual([expect.stringMatching(message)])
  })

  test('in the ledger of an agent whose key they do not bear are a fault', () => {
    const report = ledger([intended(one), done(one)], 0, 'cloud')
    expect(auditReceipts([report], KEYS)[0]?.problem).toContain('by the key of agent local')
  })

  test('are not missed to be announced where the ledger is looked at from a later day on', () => {
    expect(problems([intended(one), done(one)], 1)).toEqual([])
    expect(problems([intended(one), done(one, { digest: `sha256:${'b'.repeat(64)}` })], 1)).toHaveLength(1)
  })
})

describe('receipts in Done/', () => {
  const one = receipt()
  const file: DoneFile = { path: 'Done/2026-11/F.md', task: TASK, digest: DIGEST, receipt: one }
  const whole = [intended(one), done(one)]

  test('hold when the ledger tells of the same execution', () => {
    expect(problems(whole, 0, [file])).toEqual([])
  })

  test.each<[string, RegExp, DoneFile]>([
    ['in the file of another task', /made for another task/, { ...file, task: OTHER }],
    ['beside another digest', /letter for letter/, { ...file, digest: `sha256:${'b'.repeat(64)}` }],
    ['by a stranger’s key', /nobody here knows/, { ...file, receipt: receipt({}, stranger) }],
    ['that no ledger tells of', /no ledger tells/, { ...file, receipt: receipt({ nonce: '9'.repeat(32) }) }],
  ])('%s are a fault', (_what, message, given) => {
    const faults = auditReceipts([ledger(whole)], KEYS, [given])
    expect(faults).toMatchObject([{ file: file.path, task: given.task, problem: expect.stringMatching(message) }])
  })

  test('need no entry in the part of the ledger that is not looked at', () => {
    expect(problems(whole, 2, [file])).toEqual([])
  })
})
