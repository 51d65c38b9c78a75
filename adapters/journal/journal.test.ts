import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Receipt } from '#core/countersignature.ts'
import { CountersignError } from '#core/errors.ts'
import { makeTaskId } from '#core/ids.ts'
import type { JournalPort } from '#core/ports/journal.ts'
import { openJournal } from './journal.ts'

const TASK = makeTaskId(1, new Uint8Array(10).fill(1))
const OTHER = makeTaskId(1, new Uint8Array(10).fill(2))
const BACK = { fileName: 'F.md', taskId: TASK, rule: 'expired', say: 'It expired.', generation: 4, at: 40 }
const CARD = {
  ...{ taskId: TASK, fileName: 'F.md', folder: 'Pending_Approval/email', received: 7, generation: 3 },
  ...{ digest: 'd', shown: 'e', at: 12, isOwnText: false },
}
let folder: string
let journal: JournalPort

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-journal-'))
  journal = openJournal(join(folder, 'journal.sqlite'), { epoch: 'take' })
})
afterEach(() => {
  journal[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

const reopened = (epoch: 'take' | 'join' = 'take') => openJournal(join(folder, 'journal.sqlite'), { epoch })
const receipt = (nonce: string, task = TASK): Receipt => ({
  version: '1',
  audience: 'key:x',
  task,
  tool: 'email.send_email',
  digest: 'sha256:d',
  nonce,
  issued_at: '2026-11-20T10:00:00.000Z',
  expires_at: '2026-11-20T11:00:00.000Z',
  signature: 's',
})
function intend(nonce: string, generation = 1, task = TASK) {
  const shared = { fileName: 'F.md', digest: 'sha256:d', key: `<${nonce}@x>`, action: '{"a":1}', intendedAt: 5 }
  journal.intend({ taskId: task, generation, receipt: receipt(nonce, task), ...shared })
}
function codeOf(step: () => unknown): string | undefined {
  try {
    step()
  } catch (error) {
    return error instanceof CountersignError ? error.code : 'other'
  }
  return undefined
}

describe('the one use', () => {
  test('is given once, with the Message-ID that was journaled for it', () => {
    intend('n1')
    expect(journal.consume(receipt('n1'), 6)).toEqual({ kind: 'consumed', key: '<n1@x>', intendedAt: 5 })
    expect(journal.consume(receipt('n1'), 6)).toEqual({ kind: 'refused', rule: 'spent' })
    expect(journal.useOf(TASK, 1)).toBe('spent')
  })

  test('is refused for a receipt that the executor never journaled, or journaled for something else', () => {
    intend('n1')
    expect(journal.consume(receipt('n2'), 6)).toEqual({ kind: 'refused', rule: 'no-intent' })
    expect(journal.consume(receipt('n1', OTHER), 6)).toEqual({ kind: 'refused', rule: 'no-intent' })
    expect(journal.consume({ ...receipt('n1'), digest: 'sha256:e' }, 6)).toEqual({ kind: 'refused', rule: 'no-intent' })
    expect(journal.useOf(TASK, 1)).toBe('none')
  })

  test('of a task stays spent under every generation once it was accepted', () => {
    intend('n1')
    journal.consume(receipt('n1'), 6)
    journal.settle(TASK, 1, { state: 'accepted', at: 7 })
    intend('n2', 2)
    expect(journal.consume(receipt('n2'), 8)).toEqual({ kind: 'refused', rule: 'spent' })
    expect(journal.useOf(TASK, 2)).toBe('spent')
  })

  test('of a task stays spent while an older use has no known outcome', () => {
    intend('n1')
    journal.consume(receipt('n1'), 6)
    intend('n2', 2)
    expect(journal.consume(receipt('n2'), 8)).toEqual({ kind: 'refused', rule: 'spent' })
  })

  test('is given again after it was refused, under a new generation only', () => {
    intend('n1')
    journal.consume(receipt('n1'), 6)
    journal.settle(TASK, 1, { state: 'refused', answer: 'why', at: 7 })
    expect([journal.useOf(TASK, 1), journal.useOf(TASK, 2)]).toEqual(['spent', 'none'])
    expect(codeOf(() => intend('n3', 1))).toBe('ERR_JOURNAL_FAILED')
    intend('n2', 2)
    expect(journal.consume(receipt('n2'), 8).kind).toBe('consumed')
  })

  test('is not given again while nobody can tell what came of it; the person’s word ends that, once', () => {
    intend('n1')
    journal.consume(receipt('n1'), 6)
    journal.settle(TASK, 1, { state: 'unknown', answer: 'why', at: 7 })
    expect([journal.useOf(TASK, 1), journal.useOf(TASK, 2)]).toEqual(['unknown', 'unknown'])
    intend('n2', 2)
    expect(journal.consume(receipt('n2'), 8)).toEqual({ kind: 'refused', rule: 'spent' })
  })

  test.each([
    ['accepted', 'spent'],
    ['refused', 'none'],
  ] as const)('is %s by the person’s word: %s under the next generation, and frozen to go on', (state, use) => {
    const word = { state, answer: 'the person said so', at: 9 }
    intend('n1')
    expect(journal.resolve(TASK, word)).toBe(false)
    journal.consume(receipt('n1'), 6)
    expect(journal.resolve(TASK, word)).toBe(false)
    journal.settle(TASK, 1, { state: 'unknown', answer: 'why', at: 7 })
    expect(journal.resolve(TASK, word)).toBe(true)
    expect(journal.resolve(TASK, word)).toBe(false)
    expect(journal.intentOf(TASK, 1)).toMatchObject({ state, answer: 'the person said so', updatedAt: 9 })
    expect(journal.useOf(TASK, 2)).toBe(use)
    expect(journal.freezeOf(TASK)).toMatchObject({ fileName: 'F.md', generation: 1, tool: 'email.send_email' })
  })

  test('survives a restart', () => {
    intend('n1')
    journal.consume(receipt('n1'), 6)
    using later = reopened()
    expect(later.useOf(TASK, 1)).toBe('spent')
    expect(later.consume(receipt('n1'), 9)).toEqual({ kind: 'refused', rule: 'spent' })
  })
})

describe('an intent', () => {
  test('is renewed while unused; the receipt it had before is worth nothing then', () => {
    intend('n1')
    intend('n2')
    expect(journal.intentOf(TASK, 1)).toMatchObject({ state: 'intended', key: '<n2@x>' })
    expect(journal.consume(receipt('n1'), 6)).toEqual({ kind: 'refused', rule: 'no-intent' })
    expect(journal.consume(receipt('n2'), 6).kind).toBe('consumed')
  })

  test('goes consumed, accepted, done, and forgets the action’s text at the end', () => {
    intend('n1')
    journal.consume(receipt('n1'), 6)
    journal.settle(TASK, 1, { state: 'accepted', answer: '250 ok', at: 7 })
    expect(journal.intentsIn('accepted')).toMatchObject([{ action: '{"a":1}', answer: '250 ok', updatedAt: 7 }])
    journal.settle(TASK, 1, { state: 'done', at: 8 })
    expect(journal.intentOf(TASK, 1)).toMatchObject({ state: 'done', action: undefined, answer: '250 ok' })
  })

  test.each([
    ['accepted', 'intended'],
    ['done', 'intended'],
    ['unknown', 'done'],
    ['refused', 'accepted'],
  ] as const)('never becomes %s when it is %s', (to, from) => {
    intend('n1')
    if (from !== 'intended') {
      journal.consume(receipt('n1'), 6)
      journal.settle(TASK, 1, { state: 'accepted', at: 7 })
      if (from === 'done') journal.settle(TASK, 1, { state: 'done', at: 8 })
    }
    expect(codeOf(() => journal.settle(TASK, 1, { state: to, at: 9 }))).toBe('ERR_JOURNAL_FAILED')
    expect(journal.intentOf(TASK, 1)?.state).toBe(from)
  })
})

describe('fencing', () => {
  test('an executor that was overtaken changes nothing more', () => {
    intend('n1')
    using newer = reopened()
    expect(newer.epoch).toBe(journal.epoch + 1)
    expect(journal.isNewest()).toBe(false)
    const steps = [
      () => journal.consume(receipt('n1'), 6),
      () => intend('n2', 2),
      () => journal.settle(TASK, 1, { state: 'accepted', at: 7 }),
      () =>
        journal.freeze({
          taskId: TASK,
          tool: 'email.send_email',
          generation: 1,
          fileName: 'F.md',
          frozenAt: 1,
          undoUntil: 2,
        }),
      () => journal.unfreeze(TASK),
      () => journal.presenting(CARD),
      () => journal.present(CARD),
      () => journal.unpresent('F.md'),
      () => journal.withdraw(TASK),
      () => journal.sendBack({ ...BACK }),
      () => journal.rememberRecipients(['a@b.example'], 1),
      () => journal.keepUpdate({ agent: 'cloud', name: 'u', text: 't' }),
    ]
    expect(steps.map(codeOf)).toEqual(steps.map(() => 'ERR_FENCED'))
    expect(newer.useOf(TASK, 1)).toBe('none')
    expect(newer.consume(receipt('n1'), 6).kind).toBe('consumed')
  })

  test('one that joined works beside the executor and is overtaken together with it', () => {
    intend('n1')
    using beside = reopened('join')
    expect(journal.isNewest()).toBe(true)
    expect(beside.consume(receipt('n1'), 6).kind).toBe('consumed')
    using _newer = reopened()
    expect(codeOf(() => beside.consume(receipt('n1'), 6))).toBe('ERR_FENCED')
  })
})

test('what was presented and frozen reads back until it is withdrawn', () => {
  const freeze = {
    taskId: TASK,
    tool: 'email.send_email',
    generation: 3,
    fileName: 'F.md',
    frozenAt: 20,
    undoUntil: 30,
  }
  journal.present({ ...CARD, digest: 'older', isOwnText: true })
  journal.present(CARD)
  journal.freeze(freeze)
  expect(journal.presentation(TASK)).toEqual({ ...CARD, stands: true })
  expect(journal.presentations()).toEqual([{ ...CARD, stands: true }])
  expect(journal.presentation(OTHER)).toBeUndefined()
  expect(journal.freezes()).toEqual([freeze])
  expect(journal.freezeOf(TASK)).toEqual(freeze)
  journal.withdraw(TASK)
  journal.unfreeze(TASK)
  expect([journal.presentation(TASK), journal.freezeOf(TASK)]).toEqual([undefined, undefined])
})

test('a task that is sent back is presented no more; newest reason and highest generation stand until shown', () => {
  journal.present(CARD)
  journal.sendBack(BACK)
  journal.sendBack({ ...BACK, rule: 'undone', generation: 3 })
  expect(journal.presentation(TASK)).toEqual({ ...CARD, stands: false })
  journal.presenting(CARD)
  expect(journal.presentation(TASK)).toEqual({ ...CARD, stands: true })
  expect(journal.sentBack('F.md')).toEqual({ ...BACK, rule: 'undone' })
  journal.present(CARD)
  expect(journal.sentBack('F.md')).toBeUndefined()
  expect(journal.presentation(TASK)).toEqual({ ...CARD, stands: true })
})

test('what is taken back by its file is remembered, but stands no more; other files are not touched', () => {
  journal.present(CARD)
  journal.present({ ...CARD, taskId: OTHER, fileName: 'G.md' })
  journal.unpresent('F.md')
  expect([journal.presentation(TASK)?.stands, journal.presentation(OTHER)?.stands]).toEqual([false, true])
})

test('a journal remembers when it was made, however often it is opened', () => {
  const path = join(folder, 'other.sqlite')
  for (const now of [1_000, 2_000]) {
    using opened = openJournal(path, { epoch: 'take', now })
    expect(opened.bornAt).toBe(1_000)
  }
})

test('the two newest review sheets are known by their digest, also after a restart', () => {
  const items = [{ taskId: TASK, path: 'Pending_Approval/email/F.md', title: 'T', shown: 's' }]
  for (const digest of ['a', 'b', 'c']) journal.keepReview({ digest, items })
  using next = reopened()
  expect(['a', 'b', 'c'].map((digest) => next.reviewOf(digest))).toEqual([
    undefined,
    { digest: 'b', items },
    { digest: 'c', items },
  ])
  expect(() => journal.keepReview({ digest: 'd', items })).toThrow(/ERR_FENCED|epoch/)
})

test('a file that is left alone is remembered, with the newest reason, until that is over', () => {
  journal.setLeftAlone('Approved/F.md', { rule: 'unreadable', say: 'too large' })
  journal.setLeftAlone('Approved/F.md', { rule: 'unreadable', say: 'a link' })
  expect([...journal.leftAlone()]).toEqual([['Approved/F.md', { rule: 'unreadable', say: 'a link' }]])
  journal.setLeftAlone('Approved/F.md', undefined)
  expect(journal.leftAlone().size).toBe(0)
})

test('updates are kept once by name, the newest first, 200 at most', () => {
  for (let index = 0; index < 205; index++)
    journal.keepUpdate({ agent: 'cloud', name: String(index).padStart(4, '0'), text: `t${index}` })
  journal.keepUpdate({ agent: 'cloud', name: '0204', text: 'again' })
  expect(journal.updates(2)).toEqual([
    { agent: 'cloud', name: '0204', text: 't204' },
    { agent: 'cloud', name: '0203', text: 't203' },
  ])
  expect(journal.updates(1000)).toHaveLength(200)
})

test('the journal is the owner’s alone, and a damaged one is an error, not a fresh start', () => {
  expect(statSync(join(folder, 'journal.sqlite')).mode & 0o777).toBe(0o600)
  writeFileSync(join(folder, 'damaged.sqlite'), 'not a database '.repeat(100))
  expect(codeOf(() => openJournal(join(folder, 'damaged.sqlite'), { epoch: 'take' }))).toBe('ERR_JOURNAL_FAILED')
})

test('a journal of an earlier version is brought to the present layout: nothing done becomes possible again', () => {
  intend('n1')
  journal.consume(receipt('n1'), 6)
  journal.settle(TASK, 1, { state: 'unknown', answer: 'why', at: 7 })
  journal.freeze({
    taskId: OTHER,
    tool: 'email.send_email',
    generation: 1,
    fileName: 'G.md',
    frozenAt: 1,
    undoUntil: 2,
  })
  // As the version before it left it: an unknown outcome had voided the use.
  const db = new DatabaseSync(join(folder, 'journal.sqlite'))
  db.exec(`ALTER TABLE intents RENAME COLUMN key TO message_id; ALTER TABLE intents DROP COLUMN link;
    ALTER TABLE freezes DROP COLUMN tool; UPDATE consumed SET void = 1; PRAGMA user_version = 0`)
  db.close()
  using later = reopened()
  expect(later.useOf(TASK, 2)).toBe('unknown')
  expect(later.intentOf(TASK, 1)).toMatchObject({ key: '<n1@x>', link: undefined })
  expect(later.freezeOf(OTHER)).toMatchObject({ tool: 'email.send_email', undoUntil: 2 })
  expect(later.resolve(TASK, { state: 'accepted', answer: 'yes', at: 9 })).toBe(true)
  expect(later.useOf(TASK, 2)).toBe('spent')
})

test('what was done of late is told with its tool, but not what was surely refused', () => {
  for (const [index, task] of [TASK, OTHER].entries()) {
    intend(`n${index}`, 1, task)
    journal.consume(receipt(`n${index}`, task), 10 + index)
  }
  expect(journal.usesSince(9)).toEqual([
    { tool: 'email.send_email', at: 10 },
    { tool: 'email.send_email', at: 11 },
  ])
  expect(journal.usesSince(10)).toHaveLength(1)
  journal.settle(OTHER, 1, { state: 'refused', at: 12 })
  expect(journal.usesSince(10)).toEqual([])
})

test('who was written to is remembered once each, also after a restart', () => {
  journal.rememberRecipients(['a@b.example', 'c@d.example'], 1)
  journal.rememberRecipients(['a@b.example'], 2)
  using later = reopened()
  expect([later.recipientCount(), later.recipients().sort()]).toEqual([2, ['a@b.example', 'c@d.example']])
})

test('what is remembered of a draft stands with its card, also after a restart, until it is forgotten', () => {
  const draft = {
    ...{ taskId: TASK, revision: 2, received: 7, generation: 3, drafted: 'a', shown: 'b', previous: 'c' },
    ...{ answers: 'shorter', isUnanswered: true, asked: undefined },
  }
  journal.presenting({ ...CARD, isOwnText: false }, draft)
  journal.withdraw(TASK)
  const bare = { ...draft, taskId: OTHER, previous: undefined, answers: undefined, isUnanswered: false, asked: '' }
  journal.rememberDraft(bare)
  using later = reopened()
  expect([later.draftMemory(TASK), later.draftMemory(OTHER)]).toEqual([draft, bare])
  expect(codeOf(() => journal.rememberDraft(draft))).toBe('ERR_FENCED')
  later.forgetDraft(TASK)
  expect(later.draftMemory(TASK)).toBeUndefined()
  const ids = Array.from({ length: 501 }, (_, at) => makeTaskId(2, new Uint8Array(10).fill(at % 256).fill(at >> 8, 9)))
  for (const taskId of ids) later.rememberDraft({ ...bare, taskId })
  expect([OTHER, ids[0], ids[1]].map((taskId) => taskId && later.draftMemory(taskId)?.taskId)).toEqual([
    undefined,
    undefined,
    ids[1],
  ])
})
