import { describe, expect, it } from 'vitest'
import { judgeThread, type ThreadFacts } from './freshness.ts'
import type { ThreadMessage } from './ports/mail.ts'

const T = Date.parse('2026-11-20T12:00:00.000Z')
const OWN_ID = '<task.1@home.test>'
const base: ThreadFacts = { answers: '<q@x>', receivedAt: T, ownId: OWN_ID, account: 'me@home.test', messages: [] }
const theirs = (messageId: string, at: number, refersTo: string[] = []): ThreadMessage => ({
  ...{ folder: 'inbox', messageId, refersTo, from: 'ana@acme.test', at },
})
const mine = (at: number, refersTo: string[], ownId?: string): ThreadMessage => ({
  ...{ folder: 'sent', messageId: '<mine@x>', refersTo, from: 'me@home.test', at, ...(ownId && { ownId }) },
})
const judge = (messages: ThreadMessage[], more: Partial<ThreadFacts> = {}) =>
  judgeThread({ ...base, messages, ...more }).kind

describe('a thread', () => {
  it.each<[string, ThreadMessage[], string]>([
    ['nothing but the mail itself', [theirs('<q@x>', T)], 'fresh'],
    ['nothing at all', [], 'fresh'],
    ['what came before', [theirs('<root@x>', T - 1), theirs('<q@x>', T, ['<root@x>'])], 'fresh'],
    ['a mail that answers the same mail', [theirs('<q@x>', T), theirs('<r@x>', T + 1, ['<q@x>'])], 'newer'],
    ['one that says so, though its time is earlier', [theirs('<q@x>', T), theirs('<r@x>', T - 9, ['<q@x>'])], 'newer'],
    ['a later mail of the same thread', [theirs('<q@x>', T), theirs('<r@x>', T + 1, ['<root@x>'])], 'newer'],
    ['a later one, the mail itself being deleted', [theirs('<r@x>', T + 1, ['<root@x>'])], 'newer'],
    ['the person’s own answer', [theirs('<q@x>', T), mine(T + 1, ['<q@x>'])], 'answered'],
    ['an answer with a copy to oneself', [{ ...theirs('<m@x>', T + 1, ['<q@x>']), from: 'ME@home.test' }], 'answered'],
    ['an answer of the person to what came before', [theirs('<q@x>', T), mine(T - 1, ['<root@x>'])], 'fresh'],
    ['an own answer and then a newer mail', [mine(T + 1, ['<q@x>']), theirs('<r@x>', T + 2, ['<q@x>'])], 'answered'],
    ['the very mail, as sent', [mine(T + 1, ['<q@x>'], OWN_ID)], 'sent'],
    ['another approved reply in the thread', [mine(T + 1, ['<root@x>'], '<other.1@home.test>')], 'fresh'],
    ['another approved reply to the same mail', [mine(T + 1, ['<q@x>'], '<other.1@home.test>')], 'fresh'],
    ['an earlier attempt of the same task', [mine(T + 1, ['<q@x>'], '<task.0@home.test>')], 'answered'],
  ])('with %s is %s', (_what, messages, kind) => {
    expect(judge(messages)).toBe(kind)
  })

  it('believes the mailbox rather than the task about when the mail came', () => {
    const messages = [theirs('<q@x>', T), theirs('<r@x>', T + 1, ['<root@x>'])]
    expect(judge(messages, { receivedAt: T + 1_000_000 })).toBe('newer')
    expect(judge([theirs('<r@x>', T + 1, ['<root@x>'])], { receivedAt: undefined })).toBe('fresh')
  })

  it('holds nothing up of which the person was told before they approved', () => {
    const messages = [theirs('<r@x>', T + 10, ['<q@x>']), mine(T + 20, ['<q@x>'])]
    expect(judge(messages, { toldUntil: T + 20 })).toBe('fresh')
    expect(judge(messages, { toldUntil: T + 19 })).toBe('answered')
  })

  it('holds nothing up that the draft answers as well', () => {
    const messages = [theirs('<q@x>', T), theirs('<r@x>', T + 1, ['<q@x>'])]
    expect(judge(messages, { holds: (id) => id === '<r@x>' })).toBe('fresh')
    expect(judge([...messages, theirs('<s@x>', T + 2, ['<r@x>'])], { holds: (id) => id === '<r@x>' })).toBe('newer')
  })

  it('shows nothing of a sender that hides or breaks', () => {
    const from = 'a\u0007\u202e@x.test\nBcc: y'
    const judged = judgeThread({ ...base, messages: [{ ...theirs('<r@x>', T, ['<q@x>']), from }] })
    expect(judged).toMatchObject({ say: expect.stringMatching(/^a⟦U\+202E⟧@x\.test Bcc: y wrote/) })
  })

  it('says who and when', () => {
    const newer = judgeThread({
      ...base,
      messages: [theirs('<r@x>', T, ['<q@x>']), theirs('<s@x>', T + 60_000, ['<q@x>'])],
    })
    expect(newer).toMatchObject({
      say: expect.stringContaining('ana@acme.test wrote again in this thread at 2026-11-20 12:01 UTC'),
    })
    const answered = judgeThread({ ...base, messages: [mine(T + 120_000, ['<q@x>'])] })
    expect(answered).toMatchObject({
      say: expect.stringContaining('You answered this thread yourself at 2026-11-20 12:02 UTC'),
    })
  })
})
