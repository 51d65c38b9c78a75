import { describe, expect, test } from 'vitest'
import { readAction } from './action.ts'
import { renderCard } from './card.ts'
import { code } from './card-text.ts'
import type { Claim } from './grounding.ts'
import type { Risk } from './risk.ts'
import { newTaskFile, renderSection, section } from './task-file.ts'

const FACTS = { digest: `sha256:${'a'.repeat(64)}`, presentedAt: '2026-11-20T10:00:00.000Z', undoSeconds: 10 }
const FIRST: Risk = { flag: 'first-contact', level: 'notice', say: 'never written to *before*' }
const PAYEE: Risk = { flag: 'iban-new', level: 'high', say: 'a new account' }

function cardOf(changed: Parameters<typeof taskOf>[0]) {
  return section(taskOf(changed), 'card') ?? ''
}

function taskOf(changed: {
  risks?: Risk[]
  code?: string
  expires?: string
  draft?: string
  action?: object
  outcome?: object
  notice?: string
  claims?: Claim[]
}) {
  const task = newTaskFile(
    {
      ...{ id: '01J8Z3W6Q0ABCDEFGHJKMNPQRS', schema: '1', kind: 'EMAIL', domain: 'email', title: 'Invoice' },
      ...{ created: '2026-11-20T10:00:00Z', generation: '1' },
      ...(changed.outcome && { outcome: changed.outcome as { status: string } }),
      action: {
        ...{ tool: 'email.send_email', account: 'me@home.example', to: ['ana@acme.example'], subject: 'Re: x' },
        ...changed.action,
      } as { tool: string },
    },
    renderSection('draft', changed.draft ?? 'Dear Ana'),
  )
  const action = readAction(task)
  if (!action.ok) throw new Error(action.problem)
  return renderCard(task, action.action, {
    ...{ ...FACTS, notice: changed.notice, risks: changed.risks ?? [], claims: changed.claims ?? [] },
    ...{ code: changed.code, expires: changed.expires },
  })
}

/** Paragraphs and tables as Markdown finds them: a line that follows a quote without a blank line belongs to it. */
function blocksOf(markdown: string): string[] {
  return markdown.split(/\n(?:>?[ \t]*\n)+/)
}

describe('the card', () => {
  test.each([
    ['a notice', { notice: 'it came back' }, 2],
    ['a warning', { risks: [FIRST] }, 2],
    ['a notice and two warnings', { notice: 'it came back', risks: [PAYEE, FIRST] }, 4],
    ['neither', {}, 1],
  ])('with %s keeps its table a table, and each remark a paragraph', (_what, changed, count) => {
    const blocks = blocksOf(cardOf(changed))
    expect(blocks).toHaveLength(count)
    expect(blocks.at(-1)).toMatch(/^\| \| \|\n\|---\|---\|\n\| What happens/)
    for (const remark of blocks.slice(0, -1)) expect(remark).toMatch(/^> [^\n]*$/)
  })

  test.each([
    [{ in_reply_to: '<q@x.example>', references: ['<p@x.example>'] }, 'answers `<q@x.example>`'],
    [{ references: ['<p@x.example>', '<q@x.example>'] }, 'belongs to `<p@x.example>`, `<q@x.example>`'],
    [{}, 'starts a new one'],
  ])('shows the thread of %j', (action, words) => {
    expect(cardOf({ action })).toContain(`| Thread | ${words} |`)
  })

  test('warns of what an editor would hide of the draft, and of a task that was done', () => {
    expect(cardOf({ draft: 'fine\n\n<!-- evil -->' })).toMatch(/^> ⚠ Line 3 of the draft .*an HTML comment/)
    expect(cardOf({ outcome: { status: 'done' } })).toMatch(/^> ⚠ this task was executed before/)
  })

  test('tells under its table where the draft has it from', () => {
    const source = { where: 'mail', line: 5, quote: 'by <b>Friday</b>|`?' } as const
    const claims: Claim[] = [{ kind: 'date', written: 'Friday', isCostly: false, source }]
    const blocks = blocksOf(cardOf({ claims }))
    expect(blocks.at(-1)).toBe('- date `Friday`: mail, line 5, `` by <b>Friday</b>|`? ``')
    expect(blocks.at(-2)).toMatch(/^\*\*Where it comes from\*\*/)
    expect(blocks.at(-3)).toMatch(/^\| \| \|/)
  })

  test('says its risks in inert words, the worst first, and when it expires', () => {
    const card = cardOf({ risks: [PAYEE, FIRST], expires: '2026-12-01T00:00:00.000Z' })
    expect(card).toMatch(/^> ⛔ \*\*High risk:\*\* a new account\n>\n> ⚠ never written to \\\*before\\\*\n/)
    expect(card).toContain('| Expires | 2026-12-01 00:00 UTC |')
  })

  test('asks for its code only when it needs one', () => {
    expect(section(taskOf({}), 'decision')).not.toContain('Code')
    expect(cardOf({})).not.toContain('--code')
    const asking = taskOf({ code: 'K7MXA' })
    expect(section(asking, 'decision')).toBe('- [ ] Approve\n- [ ] Reject\n- [ ] Redraft\n\nCode:')
    expect(section(asking, 'card')).toContain('| Code | type `K7MXA` after *Code:* under the boxes')
    expect(section(asking, 'card')).toContain('`countersign approve cdef12 --code K7MXA`'.replace('cdef12', 'mnpqrs'))
  })
})

test.each([
  ['$= app.vault', '`⟦$=⟧ app.vault`'],
  ['  = this.x', '`⟦=⟧ this.x`'],
  ['a<% tp.x %>', '`a‹% tp.x %›`'],
  ['<!-- countersign:card -->', '`‹!-- countersign:card --›`'],
  ['a = b', '`a = b`'],
  ['x`y', '`` x`y ``'],
])('inline code of %j is no program to any plugin: %s', (text, shown) => {
  expect(code(text)).toBe(shown)
})
