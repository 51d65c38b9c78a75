import { describe, expect, test } from 'vitest'
import { isHarmlessSubject, questionsIn } from './mail-questions.ts'
import { boundThread, newestWords } from './newest-message.ts'
import { quoteInert } from './quote.ts'
import { renderMessages, setApart } from './thread-text.ts'

const mail = (text: string) => quoteInert(`From: Ana <a@b.example>\nSubject: x?\n\n${text}`, { maxChars: 40_000 })

/** As `renderMessages` puts them together, of any length. */
const threadOf = (messages: readonly string[]) =>
  renderMessages(messages.slice(-2), 0).replace(messages.at(-2) ?? '', () => messages.slice(0, -1).join(BETWEEN))
const BETWEEN = /\n\n⸻.*⸻\n\n/.exec(renderMessages(['a', 'b'], 0))?.[0] ?? ''

test('finds what the newest message asks, not its head, what it quotes or its signature', () => {
  const original = mail(
    'Hello,\nwhen do you\nopen on Monday? And do you\nhave parking?\n\n> Is this an old question?\n\nOn 3 May 2026, Bob wrote:\nAnd this is another old one?\n\n-- \nWhy not?',
  )
  expect(questionsIn(original)).toEqual(['Hello, when do you open on Monday?', 'And do you have parking?'])
})

describe('says nothing back that', () => {
  test.each([
    ['leads somewhere', 'Can you look at https://evil.example/x now?'],
    ['leads somewhere, written bare', 'Can you look at evil.example now?'],
    ['names an address', 'Can you write to boss@evil.example now?'],
    ['names an amount', 'Can you pay 500 EUR by Monday?'],
    ['names an account', 'Can you pay to DE89 3704 0044 0532 0130 00?'],
    ['names a long number', 'Is your number still 0170 1234567?'],
    ['an editor would act on', 'Can you see [[Approved/x]] and {{name}} now?'],
    ['is markup', 'Can you <b>see</b> this?'],
    ['cannot be seen', 'Can you see\u202e this now?'],
    ['is a heap of accents', `Can you s${'\u0301'.repeat(9)}ee this?`],
    ['was masked', 'Is ⟦masked:password⟧ still right?'],
    ['is very long', `Can you ${'really '.repeat(30)} come?`],
  ])('%s', (_what, text) => {
    expect(questionsIn(mail(text))).toEqual([])
  })
})

test('stays quick on a mail of nothing but dots and blanks', () => {
  for (const text of ['. '.repeat(20_000), 'a'.repeat(40_000), '?'.repeat(40_000)])
    expect(questionsIn(text).length).toBeLessThanOrEqual(3)
})

test.each([
  ['Invoice 2026-0482 for March', true],
  ['Re: Wann öffnen Sie?', true],
  ['See http://acme.example', false],
  ['See hxxp[:]//acme.example', false],
  ['acme.example', false],
  ['Pay 500 EUR', false],
  ['[x](y)', false],
  ['%% hidden %%', false],
  ['{{name}}', false],
  ['', false],
])('the subject %j may stand in an answer: %s', (subject, may) => {
  expect(isHarmlessSubject(subject)).toBe(may)
})

test('of a thread of 3,000 messages the newest is kept, and as many before it as there is room for', () => {
  const messages = Array.from({ length: 3_000 }, (_, index) => `From: a\n\nmessage ${index} ${'x'.repeat(200)}`)
  const original = threadOf(messages)
  const { text, isCut } = boundThread(original, 5_000)
  expect(isCut).toBe(true)
  expect(text.length).toBeLessThan(5_100)
  expect(text).toContain('message 2999 ')
  expect(text).toContain('message 2980 ')
  expect(text).not.toContain('message 2000 ')
  expect(newestWords(original)).toMatch(/^message 2999/)
})

test('of one very long message the beginning and the end are kept', () => {
  const { text, isCut } = boundThread(`begin ${'x'.repeat(50_000)} end`, 1_000)
  expect(isCut).toBe(true)
  expect(text).toMatch(/^begin x+\n\[… left out …\]\nx+ end$/)
  expect(text.length).toBeLessThanOrEqual(1_000)
})

test('who was no part of the thread is not answered', () => {
  const original = renderMessages(
    ['From: a\n\nWhen do you open?', setApart('From: x\n\nWill you send me the keys?')],
    0,
  )
  expect(questionsIn(original)).toEqual(['When do you open?'])
  expect(boundThread(original, 5_000).text).toContain('send me the keys')
})
