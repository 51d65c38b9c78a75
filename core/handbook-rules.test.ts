import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { startingNotes } from '../cli/init/starting-notes.ts'
import { sayRuleProblem } from './handbook-lines.ts'
import { MAX_HANDBOOK_BYTES, readHandbookRules } from './handbook-rules.ts'

const DAY = 86_400_000
const IBAN = 'DE89370400440532013000'
const rules = (...lines: string[]) => readHandbookRules(['# Handbook', '', '## Rules', '', ...lines, ''].join('\n'))
const problems = (...lines: string[]) => rules(...lines).problems.map(({ say }) => say)

describe('rules as people write them', () => {
  test('a whole section', () => {
    const read = readHandbookRules(
      [
        '# Company handbook',
        '## Tone',
        '- Friendly.',
        '## Our rules:',
        '<!-- Lines between these marks are for people.',
        '- nothing of this counts',
        '-->',
        '### Times',
        '- **Quiet hours**: 20:00 – 07:00 on weekdays,',
        '  all day on Sat and Sun',
        '- Time zone: Europe/Berlin.',
        '* Drafts expire after: email 7 days, social 36 hours',
        '### Limits',
        '1. At most 5 recipients',
        '2. At most 20 mails per hour',
        '3. at most 3 posts a day',
        '- [x] Ask for a code over 500 EUR or 600 USD',
        '- Always flag: rival.example, boss@Evil.example',
        `- Known payees: ${IBAN} (the landlord)`,
        '## Known contacts',
        '| who | address |',
        '| --- | --- |',
        '| Anna | Anna@Client.example |',
        '- everybody at @partner.example',
        '## Never',
        '- Mention thief@evil.example or https://evil.test/x.',
      ].join('\r\n'),
    )
    expect(read.problems).toEqual([])
    expect(read).toMatchObject({
      quiet: [
        { days: [1, 2, 3, 4, 5], from: 1200, to: 420, zone: 'Europe/Berlin' },
        { days: [0, 6], from: 0, to: 1440, zone: 'Europe/Berlin' },
      ],
      expiry: { email: 7 * DAY, social: 1.5 * DAY },
      maxRecipients: 5,
      pace: [
        { channel: 'email', count: 20, windowMs: 3_600_000 },
        { channel: 'social', count: 3, windowMs: DAY },
      ],
      codeOver: [
        { currency: 'EUR', cents: 50_000 },
        { currency: 'USD', cents: 60_000 },
      ],
      flagged: ['rival.example', 'boss@evil.example'],
      payees: [IBAN],
      contacts: { addresses: ['anna@client.example'], domains: ['partner.example'] },
    })
    expect(read.hosts).toContain('evil.test')
  })

  test.each([
    ['- Expiry: email 2 weeks', { expiry: { email: 14 * DAY } }],
    ['- Drafts expire after email: 30 minutes and social 1 day', { expiry: { email: 1_800_000, social: DAY } }],
    ['- Max. recipients: 3', { maxRecipients: 3 }],
    ['- Maximum recipients 3', { maxRecipients: 3 }],
    ['- No more than 3 recipients per mail', { maxRecipients: 3 }],
    ['- No more than 2 e-mails per minute', { pace: [{ channel: 'email', count: 2, windowMs: 60_000 }] }],
    ['- Amounts over 1.000,00 € need a code', { codeOver: [{ currency: 'EUR', cents: 100_000 }] }],
    ['- Code needed above: €250', { codeOver: [{ currency: 'EUR', cents: 25_000 }] }],
    ['- Amount limit: CHF 1’000', { codeOver: [{ currency: 'CHF', cents: 100_000 }] }],
    ['- Remember my edits: no', { remembersEdits: false }],
    ['- Do not remember my edits', { remembersEdits: false }],
    ['- Remember edits', { remembersEdits: true }],
    ['- Flagged domains: @rival.example and xn--mnchen-3ya.example', { flagged: ['rival.example', 'münchen.example'] }],
  ])('%s', (line, expected) => {
    const read = rules(line)
    expect(read.problems).toEqual([])
    expect(read).toMatchObject(expected)
  })

  test('a general expiry is the floor under the special ones, whichever stands first', () => {
    for (const lines of [
      ['- Drafts expire after 3 days', '- Drafts expire after: email 7 days'],
      ['- Drafts expire after: email 7 days', '- Drafts expire after 3 days'],
    ])
      expect(rules(...lines).expiry).toMatchObject({ email: 7 * DAY, social: 3 * DAY })
  })
})

describe('a line that is not understood', () => {
  test('about edits has none remembered', () => {
    expect([rules().remembersEdits, rules('- Remember my edits: sometimes').remembersEdits]).toEqual([true, false])
  })

  test.each([
    ['- Be nice', 'not known'],
    ['Quiet hours: 20:00-07:00 UTC', 'no line of a list'],
    ['```', 'no line of a list'],
    ['- Quiet hours: late', '“late” is not understood'],
    ['- Quiet hours: 20:00-07:00', 'UTC counts'],
    ['- Time zone: Mars/Base', 'no time zone'],
    ['- Drafts expire after: mails 7 days', 'no domain with a time'],
    ['- Drafts expire after: email 7', 'no domain with a time'],
    ['- Drafts expire after: email 0 days', 'cannot expire at once'],
    ['- At most 20 mails per hour, except on Fridays', 'write “at most'],
    ['- At most 0 mails per hour', 'HALT.md'],
    ['- At most 0 recipients', 'at least one'],
    ['- At most ten recipients', 'write “at most'],
    ['- Ask for a code over 500', 'with its currency'],
    ['- Ask for a code over 500 EUR on Sundays', 'with its currency'],
    ['- Remember my edits: sometimes', 'remember my edits: no'],
    ['- Always flag: everybody', 'neither a domain nor an address'],
    ['- Always flag:', 'neither a domain nor an address'],
    ['- Known payees: DE88 3704 0044 0532 0130 00', 'check digits'],
    ['- Known payees: the landlord', 'no account number'],
    ['<!-- - At most 1 recipients', 'never closed'],
  ])('%s: %s', (line, say) => {
    expect(problems(line).join()).toContain(say)
  })

  test('is told with its line, and the others count all the same', () => {
    const read = rules('- Be nice', '- At most 5 recipients')
    expect(read.maxRecipients).toBe(5)
    expect(read.problems.map(sayRuleProblem)).toEqual([
      'Company_Handbook.md, line 5 (- Be nice): this rule is not known; docs/handbook.md lists what can be written',
    ])
  })

  test('of two that say different things, the stricter one counts and both are told', () => {
    const read = rules('- At most 9 recipients', '- At most 4 recipients', '- At most 6 recipients')
    expect(read.maxRecipients).toBe(4)
    expect(read.problems).toHaveLength(2)
  })
})

test('a handbook over its limit says so, and gives no rules', () => {
  const read = readHandbookRules(`## Rules\n- At most 5 recipients\n${'x'.repeat(MAX_HANDBOOK_BYTES)}`)
  expect(read.maxRecipients).toBeUndefined()
  expect(read.problems).toHaveLength(1)
})

test('no section, no rules, no problems; and the handbook of a new vault has none either', () => {
  for (const text of ['', '# Handbook\n\nWords.', startingNotes('local', 'Owner')['Company_Handbook.md'] ?? '']) {
    const read = readHandbookRules(text)
    expect([read.problems, read.quiet, read.maxRecipients, read.pace]).toEqual([[], [], undefined, []])
  }
})

test('whatever stands in it: nothing is thrown, and each line is either taken or told', () => {
  const word = fc.constantFrom(
    ...'- * ## Rules <!-- --> quiet hours 20:00-07:00 at most 5 recipients mails per hour ask for a code over 500 EUR flag: a.example \n'.split(
      ' ',
    ),
  )
  fc.assert(fc.property(fc.array(word, { maxLength: 60 }), (words) => void rules(words.join(' '))))
  const strange = fc.stringMatching(/^[b-z ]{3,30}$/).filter((text) => text.trim() !== '')
  fc.assert(
    fc.property(strange, (text) => {
      expect(rules(`- qq ${text}`).problems).toHaveLength(1)
    }),
  )
})

test('a hostile handbook of the largest size is read in time', () => {
  for (const piece of ['- at most ', '- ', 'a@', 'a.', '1 ', '<!--', 'DE89 '])
    expect(readHandbookRules(`## Rules\n${piece.repeat(199_900 / piece.length)}`).problems.length).toBeLessThan(25)
})
