import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { startingNotes } from '../cli/init/starting-notes.ts'
import { readHandbookRules } from './handbook-rules.ts'
import { readPostCalendar } from './post-calendar.ts'
import { readTriageRules, rulesFor, type SortedMail } from './triage-rules.ts'

const read = (...lines: string[]) => readTriageRules(['# Handbook', '', '## Triage', '', ...lines, ''].join('\n'))
const mail = (changes: Partial<SortedMail> = {}): SortedMail => ({
  from: 'anna@client.example',
  to: ['owner@x.example'],
  subject: 'Invoice request',
  text: 'Could you\nsend it?',
  ...changes,
})

describe('what a person may write', () => {
  test.each([
    ['- Mail from @bank.example: skip', { domain: 'skip' }, [{ what: 'from', names: ['bank.example'] }]],
    ['- skip mail from bank.example', { domain: 'skip' }, [{ what: 'from', names: ['bank.example'] }]],
    [
      '* From: Anna@Client.example → urgent.',
      { priority: 'urgent' },
      [{ what: 'from', names: ['anna@client.example'] }],
    ],
    [
      '- "invoice request" in the subject: accounting',
      { domain: 'accounting' },
      [{ what: 'words', where: 'subject', words: ['invoice request'] }],
    ],
    [
      '- subject contains “Rechnung” or “Facture”: invoice',
      { domain: 'accounting' },
      [{ what: 'words', where: 'subject', words: ['rechnung', 'facture'] }],
    ],
    [
      '- from a@x.example, @y.example and z.example are low priority',
      { priority: 'low' },
      [{ what: 'from', names: ['a@x.example', 'y.example', 'z.example'] }],
    ],
    [
      '1. to invoices@me.example: payment, high',
      { domain: 'payment', priority: 'high' },
      [{ what: 'to', names: ['invoices@me.example'] }],
    ],
    [
      '- **"post this"** from @team.example = social',
      { domain: 'social' },
      [
        { what: 'from', names: ['team.example'] },
        { what: 'words', where: 'anywhere', words: ['post this'] },
      ],
    ],
    ['- urgent: from boss@x.example', { priority: 'urgent' }, [{ what: 'from', names: ['boss@x.example'] }]],
    ['- "a: b" in the text: email', { domain: 'email' }, [{ what: 'words', where: 'text', words: ['a: b'] }]],
    [
      '- "a" in the subject and "b" in the text: skip',
      { domain: 'skip' },
      [
        { what: 'words', where: 'subject', words: ['a'] },
        { what: 'words', where: 'text', words: ['b'] },
      ],
    ],
    ['- "a" in the subject or text: skip', { domain: 'skip' }, [{ what: 'words', where: 'anywhere', words: ['a'] }]],
  ])('%s', (line, effect, conditions) => {
    const { rules, problems } = read(line)
    expect(problems).toEqual([])
    expect(rules).toEqual([{ line: 5, domain: undefined, priority: undefined, ...effect, conditions }])
  })

  test.each([
    ['- Mail from bank: skip', '“bank” is not understood'],
    ['- from @bank.example: shred', 'say what is to be done'],
    ['- from @bank.example: skip, email', 'say what is to be done'],
    ['- everything: skip', 'it names no sender'],
    ['- from @bank.example', 'say what is to be done'],
    ['- from @bank.example: whatsapp', 'say what is to be done'],
    ['from @bank.example: skip', 'it is no line of a list'],
  ])('%s is a problem in words', (line, say) => {
    const { rules, problems } = read(line)
    expect(rules).toEqual([])
    expect(problems).toEqual([{ line: 5, text: line, say: expect.stringContaining(say) }])
  })

  test('a section Triage below Rules is none of the rules, and comments are none at all', () => {
    const handbook =
      '## Rules\n- At most 10 recipients\n### Triage\n- from a@x.example: skip\n<!-- - nonsense -->\n### More\n- At most 5 mails per hour\n'
    expect(readTriageRules(handbook).rules).toMatchObject([{ line: 4 }])
    expect(readHandbookRules(handbook)).toMatchObject({ problems: [], maxRecipients: 10, pace: [{ count: 5 }] })
    expect(readTriageRules('## Triage\n- from a@x.example: skip').rules).toHaveLength(1)
  })

  test('never throws, whatever stands there', () => {
    const words = fc.constantFrom(
      'from',
      '@x.example',
      '"',
      'a',
      ':',
      'skip',
      'in the subject',
      '\u0001',
      '0',
      ' or ',
      '→',
      '- ',
    )
    fc.assert(
      fc.property(
        fc.array(fc.oneof(words, fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 30 }),
        (parts) => {
          const { rules, problems } = read(`- ${parts.join('')}`)
          rules.filter(rulesFor(mail()))
          expect(rules.length + problems.length).toBeGreaterThan(0)
        },
      ),
    )
  })
})

describe('whether a rule fits', () => {
  test.each([
    ['- from @client.example: skip', {}, true],
    ['- from client.example: skip', { from: 'x@mail.client.example' }, true],
    ['- from client.example: skip', { from: 'x@notclient.example' }, false],
    ['- from anna@client.example: skip', { from: 'ANNA@Client.Example' }, true],
    ['- from anna@client.example: skip', { from: 'hanna@client.example' }, false],
    ['- from müller.example: skip', { from: 'a@xn--mller-kva.example' }, true],
    ['- to owner@x.example: skip', {}, true],
    ['- to sales@x.example: skip', {}, false],
    ['- "INVOICE  request" in subject: skip', {}, true],
    ['- "you send" in the text: skip', {}, true],
    ['- "request" in the text: skip', {}, false],
    ['- "request": skip', {}, true],
    ['- "cafe": skip', { subject: 'Café' }, true],
    ['- "request" from @other.example: skip', {}, false],
  ])('%s, of %j: %s', (line, changes, fits) => {
    const [rule] = read(line).rules
    expect(rule && rulesFor(mail(changes))(rule)).toBe(fits)
  })
})

test('every example that the documentation and a new vault give is understood', () => {
  const triage = readFileSync(join(import.meta.dirname, '../docs/triage.md'), 'utf8')
  const blocks = [...triage.matchAll(/```markdown\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
  const notes = startingNotes('local', 'Owner')
  const uncommented = (name: string) => (notes[name] ?? '').replace(/<!--[^\n]*|-->/g, '')
  const handbooks = [blocks[0] ?? '', uncommented('Company_Handbook.md')].map(readTriageRules)
  expect(handbooks.map(({ rules, problems }) => [rules.length, problems])).toEqual([
    [7, []],
    [3, []],
  ])
  const goals = [blocks[1] ?? '', uncommented('Business_Goals.md')].map(readPostCalendar)
  expect(goals.map(({ plans, problems }) => [plans.length, problems])).toEqual([
    [3, []],
    [1, []],
  ])
  for (const name of ['Company_Handbook.md', 'Business_Goals.md'])
    expect([readTriageRules(notes[name] ?? '').rules, readPostCalendar(notes[name] ?? '').plans]).toEqual([[], []])
})
