import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  chainEntry,
  crossCheck,
  type LedgerEntry,
  type LedgerHead,
  renderLedgerLine,
  signCheckpoint,
  verifyChain,
} from './ledger.ts'

const cloudKey = generateKeyPairSync('ed25519')
const localKey = generateKeyPairSync('ed25519')
const keys = new Map([
  ['cloud', [cloudKey.publicKey]],
  ['local', [localKey.publicKey]],
])

function chain(
  agent: string,
  types: LedgerEntry['type'][],
  data: Record<number, LedgerEntry['data']> = {},
): LedgerEntry[] {
  let head: LedgerHead | null = null
  return types.map((type, index) => {
    const entry: LedgerEntry = chainEntry(head, {
      at: '2026-11-20T10:00:00.000Z',
      agent,
      type,
      ...(data[index] && { data: data[index] }),
    })
    head = entry
    return entry
  })
}
const file = (entries: LedgerEntry[], name = '2026-11-20.jsonl') => ({
  name,
  text: entries.map((entry) => `${renderLedgerLine(entry)}\n`).join(''),
})
const verify = (entries: LedgerEntry[]) => verifyChain('cloud', [file(entries)])

const CLOUD = chain('cloud', ['task.created', 'task.claimed', 'task.drafted', 'mail.skipped'])

describe('the chain', () => {
  test('verifies over several files in any order', () => {
    const later = { name: '2026-11-21.jsonl', text: file(CLOUD.slice(2)).text }
    expect(verifyChain('cloud', [later, file(CLOUD.slice(0, 2))])).toMatchObject({ faults: [], head: { seq: 4 } })
  })

  const edited = { ...CLOUD[1]!, data: { to: 'someone else' } }
  const { hash: _, ...unsealed } = edited
  test.each([
    ['an edited line', CLOUD.with(1, edited), 2, /edited/],
    ['an edited line with a fitting hash', CLOUD.with(1, chainEntry(CLOUD[0]!, unsealed)), 3, /does not follow/],
    ['a removed line', CLOUD.toSpliced(1, 1), 2, /missing or out of order/],
    ['a removed first line', CLOUD.slice(1), 1, /missing or out of order/],
    ['two swapped lines', [CLOUD[0]!, CLOUD[2]!, CLOUD[1]!, CLOUD[3]!], 2, /missing or out of order/],
    ['a doubled line', [CLOUD[0]!, CLOUD[1]!, CLOUD[1]!, CLOUD[2]!], 3, /missing or out of order/],
    ['another agent’s line', CLOUD.with(0, chain('local', ['task.created'])[0]!), 1, /belongs to agent local/],
  ])('finds %s and where it is', (_name, entries, line, problem) => {
    const fault = verify(entries).faults[0]
    expect(fault).toMatchObject({ line })
    expect(fault?.problem).toMatch(problem)
  })

  test.each([
    ['a torn last line', (text: string) => text.slice(0, -5)],
    ['a line that is no entry', (text: string) => `${text}{"seq":5}\n`],
    ['an unknown type', (text: string) => text.replace('"mail.skipped"', '"mail.erased"')],
    ['an empty line', (text: string) => text.replace('\n', '\n\n')],
  ])('finds %s', (_name, damage) => {
    expect(verifyChain('cloud', [{ name: '2026-11-20.jsonl', text: damage(file(CLOUD).text) }]).faults).not.toEqual([])
  })
})

describe('the cross-check', () => {
  const checkpoint = signCheckpoint('cloud', CLOUD[3]!, cloudKey.privateKey)
  const withCheckpoint = [
    ...CLOUD,
    chainEntry(CLOUD[3]!, {
      at: '2026-11-20T10:00:00.000Z',
      agent: 'cloud',
      type: 'ledger.checkpoint',
      data: { ...checkpoint },
    }),
  ]
  const local = chain('local', ['task.approved', 'ledger.witnessed'], { 1: { ...checkpoint } })
  const check = (cloud: LedgerEntry[], witness = local, anchors = new Map<string, LedgerHead>()) =>
    crossCheck([verifyChain('cloud', [file(cloud)]), verifyChain('local', [file(witness)])], keys, anchors)

  test('passes two whole ledgers', () => {
    expect(check(withCheckpoint, local, new Map([['cloud', { seq: 5, hash: withCheckpoint[4]!.hash }]]))).toEqual([])
  })

  test('takes a checkpoint by a former key of the agent', () => {
    const renewed = new Map([...keys, ['cloud', [generateKeyPairSync('ed25519').publicKey, cloudKey.publicKey]]])
    const reports = [verifyChain('cloud', [file(withCheckpoint)]), verifyChain('local', [file(local)])]
    expect(crossCheck(reports, renewed)).toEqual([])
  })

  test('finds a tail cut below what the other zone witnessed', () => {
    expect(verify(CLOUD.slice(0, 3)).faults).toEqual([])
    expect(check(CLOUD.slice(0, 3))[0]).toMatchObject({
      agent: 'cloud',
      seq: 4,
      problem: expect.stringMatching(/cut .*local's entry 2/),
    })
  })

  test('finds a ledger rewritten with recomputed hashes', () => {
    const forged = chain('cloud', ['task.created', 'task.claimed', 'task.drafted', 'task.created'])
    expect(verify(forged).faults).toEqual([])
    expect(check(forged)[0]?.problem).toMatch(/rewritten/)
  })

  test('finds a cut tail that only this machine remembers', () => {
    expect(check(CLOUD, local, new Map([['cloud', { seq: 5, hash: withCheckpoint[4]!.hash }]]))[0]?.problem).toMatch(
      /cut .*this machine/,
    )
  })

  test('finds a checkpoint that another key signed', () => {
    const forged = { ...signCheckpoint('cloud', CLOUD[2]!, localKey.privateKey) }
    expect(check(CLOUD, chain('local', ['ledger.witnessed'], { 0: forged }))[0]?.problem).toMatch(/no valid signature/)
  })
})
