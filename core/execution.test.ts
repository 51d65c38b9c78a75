import { describe, expect, test } from 'vitest'
import { actionDigest, readAction } from './action.ts'
import { decideExecution, type ExecutionFacts, type Presented } from './execution.ts'
import { parseTaskFile } from './task-file.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const ACCOUNT = 'me@home.example'
const LIMITS = { account: ACCOUNT, maxRecipients: 10 }
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
