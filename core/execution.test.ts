import { describe, expect, test } from 'vitest'
import { actionDigest, readAction } from './action.ts'
import { confirmationCode } from './confirmation.ts'
import { decideExecution, type ExecutionFacts, type Presented } from './execution.ts'
import { readHandbookRules } from './handbook-rules.ts'
import { riskFacts } from './risk.ts'
import { parseTaskFile } from './task-file.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const ACCOUNT = 'me@home.example'
const LIMITS = { account: ACCOUNT, maxRecipients: 10 }
const NO_RULES = riskFacts(readHandbookRules(''), [ACCOUNT], ['ana@acme.example'])
const RLO = '\u202e'

const REJECTED = '<!-- countersign:decision -->\n- [ ] Approve\n- [x] Reject\n<!-- countersign:/decision -->\n'

interface Variation {
  action?: string[]
  front?: string[]
  draft?: string
}

const DEFAULT_ACTION = [
  'tool: email.send_email',
  `account: ${ACCOUNT}`,
  'to: [ana@acme.example]',
  'subject: "Re: Invoice"',
  'in_reply_to: <q@acme.example>',
]

function file({ action = DEFAULT_ACTION, front = [], draft = 'Dear Ana, it is on its way.' }: Variation = {}): string {
  return [
    '---',
    'id: 01J8Z3W6Q0ABCDEFGHJKMNPQRS',
    'schema: "1"',
    'kind: EMAIL',
    'domain: email',
    'title: Invoice',
    'created: 2026-11-20T10:00:00.000Z',
    'generation: 2',
    ...front,
    ...(action.length > 0 ? ['action:', ...action.map((line) => `  ${line}`)] : []),
    '---',
    '<!-- countersign:draft -->',
    draft,
    '<!-- countersign:/draft -->',
    '',
  ].join('\n')
}

/** The card of this very file. */
function shownAs(text: string, changed: Partial<Presented> = {}): Presented {
  const parsed = parseTaskFile(text)
  const verdict = parsed.ok ? readAction(parsed.task) : undefined
  const digest = verdict?.ok ? actionDigest(verdict.action) : 'none'
  return { generation: 2, digest, isAsShown: true, at: NOW - 60_000, ...changed }
}

/** Facts under which the file would be executed: presented as it stands. */
function facts(text: string, changed: Partial<ExecutionFacts> = {}): ExecutionFacts {
  return {
    zone: 'local',
    halted: false,
    parsed: parseTaskFile(text),
    presented: shownAs(text),
    use: 'none',
    now: NOW,
    limits: LIMITS,
    ...{ handbookFault: undefined, risk: NO_RULES, predecessors: [], acts: [] },
    ...changed,
  }
}

/** The default action with the lines of some fields replaced (or removed when empty). */
const withFields = (fields: Record<string, string>): string[] => [
  ...DEFAULT_ACTION.filter((line) => !Object.keys(fields).some((name) => line.startsWith(`${name}:`))),
  ...Object.values(fields).filter((line) => line !== ''),
]

describe('an approved task', () => {
  test('is permitted with exactly the action that stands in the file and its digest', () => {
    const verdict = decideExecution(facts(file()))
    expect(verdict).toMatchObject({
      kind: 'permitted',
      action: { to: ['ana@acme.example'], subject: 'Re: Invoice', body: 'Dear Ana, it is on its way.' },
    })
    if (verdict.kind === 'permitted') expect(verdict.digest).toBe(actionDigest(verdict.action))
  })

  test('is permitted until the instant it expires, not from then on', () => {
    const front = ['expires: 2026-11-20T12:00:00.000Z']
    expect(decideExecution(facts(file({ front }), { now: NOW - 1 })).kind).toBe('permitted')
    expect(decideExecution(facts(file({ front }), { now: NOW }))).toMatchObject({ rule: 'expired' })
  })

  test('is permitted with exactly as many recipients as allowed', () => {
    const text = file({ action: withFields({ to: 'to: [a@x.example, b@x.example]', cc: 'cc: [c@x.example]' }) })
    expect(decideExecution(facts(text, { limits: { ...LIMITS, maxRecipients: 3 } })).kind).toBe('permitted')
    expect(decideExecution(facts(text, { limits: { ...LIMITS, maxRecipients: 2 } }))).toMatchObject({
      rule: 'too-many-recipients',
    })
  })

  test.each([
    ['ordinary brackets and one placeholder-like word', 'See [1] and {a}.\n____________\nMe'],
    ['right-to-left text and emoji', 'שלום 👩‍💻'],
  ])('is permitted with a draft with %s', (_what, draft) => {
    expect(decideExecution(facts(file({ draft }))).kind).toBe('permitted')
  })
})

describe('a task stays where it is', () => {
  test.each<[string, Partial<ExecutionFacts>]>([
    ['zone-cloud-never-executes', { zone: 'cloud' }],
    ['halted', { halted: true }],
    ['clock-set-back', { now: NOW - 3_600_000 }],
  ])('for the rule %s', (rule, changed) => {
    expect(decideExecution(facts(file(), changed))).toMatchObject({ kind: 'refused', rule, next: 'hold' })
  })
})

describe('a task goes back to the person', () => {
  const text = file()
  test.each<[rule: string, why: string, facts: ExecutionFacts]>([
    ['file-invalid', 'front matter is broken', facts('---\nid: [\n---\n')],
    ['already-done', 'its one use is spent', facts(text, { use: 'spent' })],
    ['not-presented', 'it was never shown here', facts(text, { presented: undefined })],
    ['not-presented', 'an older generation was shown', facts(text, { presented: shownAs(text, { generation: 1 }) })],
    [
      'changed-since-presented',
      'a recipient changed after the card',
      facts(file({ action: withFields({ to: 'to: [eve@evil.example]' }) }), { presented: shownAs(text) }),
    ],
    [
      'changed-since-presented',
      'the subject changed after the card',
      facts(file({ action: withFields({ subject: 'subject: other' }) }), { presented: shownAs(text) }),
    ],
    [
      'changed-since-presented',
      'the thread changed after the card',
      facts(file({ action: withFields({ in_reply_to: 'in_reply_to: <other@acme.example>' }) }), {
        presented: shownAs(text),
      }),
    ],
    [
      'changed-since-presented',
      'the draft changed after the card',
      facts(file({ draft: 'My own words.' }), { presented: shownAs(text) }),
    ],
    [
      'changed-since-presented',
      'anything else in the file changed',
      facts(text, { presented: shownAs(text, { isAsShown: false }) }),
    ],
    ['outcome-unresolved', 'nobody knows whether it was done', facts(text, { use: 'unknown' })],
    ['contrary-tick', 'another box is ticked', facts(`${text}${REJECTED}`)],
    ['action-missing', 'it has no action', facts(file({ action: [] }))],
    ['action-tool', 'its tool is unknown', facts(file({ action: ['tool: email.delete_all'] }))],
    ['action-body', 'the draft is empty', facts(file({ draft: '  ' }))],
    ['action-to', 'there is no recipient', facts(file({ action: withFields({ to: 'to: []' }) }))],
    ['action-to', 'the recipients are missing', facts(file({ action: withFields({ to: '' }) }))],
    [
      'action-to',
      'an address hides a character',
      facts(file({ action: withFields({ to: 'to: ["an\u200ba@acme.example"]' }) })),
    ],
    [
      'action-subject',
      'the subject is bidirectional',
      facts(file({ action: withFields({ subject: `subject: "a${RLO}b"` }) })),
    ],
    ['action-to', 'an address has a display name', facts(file({ action: withFields({ to: 'to: ["Ana <a@b.c>"]' }) }))],
    [
      'account-unknown',
      'it would send as somebody else',
      facts(text, { limits: { ...LIMITS, account: 'other@home.example' } }),
    ],
    ['placeholder-left', 'a placeholder is left', facts(file({ draft: 'Dear {{name}}, hello.' }))],
    ['placeholder-left', 'a marked gap is left', facts(file({ draft: 'It comes on [[date]].' }))],
    ['draft-hidden-characters', 'the draft reverses text', facts(file({ draft: `pay ${RLO}001` }))],
    ['draft-hidden-text', 'the draft has a comment', facts(file({ draft: 'fine\n<!--\nevil\n-->' }))],
    ['draft-hidden-text', 'the draft has HTML', facts(file({ draft: '<details>evil</details>' }))],
    ['already-done', 'its own outcome says so', facts(file({ front: ['outcome: {status: done}'] }))],
    ['draft-hidden-characters', 'the draft has tag characters', facts(file({ draft: 'hi\u{e0041}' }))],
  ])('by the rule %s when %s', (rule, _why, given) => {
    expect(decideExecution(given)).toMatchObject({ kind: 'refused', rule, next: 'return' })
  })

  test.each<[string, ExecutionFacts]>([
    ['The draft is empty: there is nothing to send.', facts(file({ draft: '' }))],
    ['The mail has no recipient.', facts(file({ action: withFields({ to: 'to: []' }) }))],
    [
      'The field "subject" contains an invisible or control character (U+202E). Type it anew.',
      facts(file({ action: withFields({ subject: `subject: "a${RLO}b"` }) })),
    ],
    [
      'Line 2 of the draft (%% evil %%) contains a comment between %%: your editor may hide part of it, but it would be sent. Write it as plain words or remove it.',
      facts(file({ draft: 'fine\n%% evil %%' })),
    ],
    ['The draft contains an invisible character (U+202E).', facts(file({ draft: `a${RLO}` }))],
  ])('with the words: %s', (say, given) => {
    expect(decideExecution(given)).toMatchObject({ say })
  })
})

test('the first rule that holds wins: HALT before everything in the file, a spent use before its content', () => {
  const broken = file({ draft: '{{x}}' })
  expect(decideExecution(facts(broken, { halted: true, use: 'spent' }))).toMatchObject({ rule: 'halted' })
  expect(decideExecution(facts(broken, { use: 'spent' }))).toMatchObject({ rule: 'already-done' })
})

describe('what the handbook of this moment says', () => {
  const under = (rules: string, text = file(), writtenTo = ['ana@acme.example']) =>
    facts(text, { risk: riskFacts(readHandbookRules(rules), [ACCOUNT], writtenTo) })
  const verdictOf = (one: ExecutionFacts) => {
    const verdict = decideExecution(one)
    return verdict.kind === 'permitted' ? 'permitted' : `${verdict.next} ${verdict.rule}`
  }

  test('a handbook that cannot be read holds everything', () => {
    expect(verdictOf(facts(file(), { handbookFault: 'it is a folder' }))).toBe('hold handbook-unreadable')
  })

  test.each([
    ['## Rules\n- Drafts expire after: email 1 hour', 'return expired'],
    ['## Rules\n- Drafts expire after: email 3 hours', 'permitted'],
    ['## Rules\n- Drafts expire after: social 1 hour', 'permitted'],
    ['## Rules\n- At most 1 recipient', 'permitted'],
    ['## Rules\n- Always flag: acme.example', 'return code-missing'],
    ['## Rules\n- Quiet hours: 11-13 UTC', 'hold quiet-hours'],
    ['## Rules\n- Quiet hours: 13-14 UTC', 'permitted'],
  ])('%j: %s', (rules, expected) => {
    expect(verdictOf(under(rules))).toBe(expected)
  })

  test('counts recipients by the stricter of handbook and settings', () => {
    const two = file({ action: withFields({ to: 'to: [ana@acme.example, bob@acme.example]' }) })
    expect(verdictOf(under('## Rules\n- At most 1 recipient', two))).toBe('return too-many-recipients')
    const settings = { ...under('## Rules\n- At most 5 recipients', two), limits: { ...LIMITS, maxRecipients: 1 } }
    expect(verdictOf(settings)).toBe('return too-many-recipients')
  })

  test('says when a hold ends', () => {
    expect(decideExecution(under('## Rules\n- Quiet hours: 11-13 UTC'))).toMatchObject({ until: NOW + 3_600_000 })
    const paced = under('## Rules\n- At most 1 mail per hour')
    expect(decideExecution({ ...paced, acts: [NOW - 60_000] })).toMatchObject({ rule: 'pace', until: NOW + 3_540_000 })
  })

  test('a predecessor holds or returns', () => {
    const following = (state: 'waiting' | 'gone' | 'done') => facts(file(), { predecessors: [{ id: 'X', state }] })
    expect([verdictOf(following('waiting')), verdictOf(following('gone')), verdictOf(following('done'))]).toEqual([
      'hold after-waiting',
      'return after-gone',
      'permitted',
    ])
  })
})

describe('high risk needs the code of its card', () => {
  const RULES = riskFacts(readHandbookRules('## Rules\n- Always flag: acme.example'), [ACCOUNT], ['ana@acme.example'])
  const decision = (code: string) =>
    `<!-- countersign:decision -->\n- [x] Approve\n\nCode:${code}\n<!-- countersign:/decision -->\n`
  const withCode = (code: string) => `${file()}${decision(code)}`
  const right = confirmationCode(shownAs(withCode('')))
  const judged = (text: string, changed: Partial<Presented> = {}) => {
    const verdict = decideExecution(facts(text, { risk: RULES, presented: shownAs(text, changed) }))
    return verdict.kind === 'permitted' ? 'permitted' : verdict.rule
  }

  test.each([
    ['the right one', ` ${right}`, 'permitted'],
    ['the right one, written freely', ` ${right.slice(0, 2).toLowerCase()} ${right.slice(2)}`, 'permitted'],
    ['none', '', 'code-missing'],
    ['another', ' AAAAA', 'code-wrong'],
    ['half of it', ` ${right.slice(0, 3)}`, 'code-wrong'],
  ])('%s', (_what, typed, rule) => {
    expect(judged(withCode(typed))).toBe(rule)
  })

  test('the code of an earlier card is worth nothing, nor one without a line for it', () => {
    expect(judged(withCode(` ${right}`), { at: NOW - 59_999 })).toBe('code-wrong')
    expect(judged(file())).toBe('code-missing')
    const verdict = decideExecution(facts(file(), { risk: RULES }))
    expect(verdict).toMatchObject({ say: expect.stringMatching(/^Since its card was made it is high-risk/) })
  })

  test('is asked for nothing where the handbook flags nothing', () => {
    expect(decideExecution(facts(withCode(' WRONG'))).kind).toBe('permitted')
  })
})
