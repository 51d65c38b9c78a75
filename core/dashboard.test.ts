import { describe, expect, test } from 'vitest'
import { type DashboardFacts, renderDashboard } from './dashboard.ts'

const EMPTY: DashboardFacts = {
  waiting: [],
  held: [],
  done: [],
  updates: [],
  conflicts: [],
  signs: [],
  isHalted: false,
  problems: [],
  counts: { needsAction: 0, inProgress: 0, waiting: 0, doneThisMonth: 0 },
}
const TASK = {
  path: 'Pending_Approval/email/EMAIL_2026-11-20_x_abcdef.md',
  title: 'Invoice',
  say: 'to ana@acme.example',
  at: '2026-11-20T10:15:30.000Z',
}

describe('the dashboard', () => {
  test('of an empty vault says so and shows no empty sections', () => {
    const text = renderDashboard(EMPTY)
    expect(text).toContain('Nothing waits for you.')
    expect(text).toContain('All is well.')
    expect(text).not.toMatch(/On the way|Two versions|Notes from/)
  })

  test('links what waits, with when it came', () => {
    const text = renderDashboard({ ...EMPTY, waiting: [TASK] })
    expect(text).toContain('## Waiting for you (1)')
    expect(text.replaceAll('\\', '')).toContain(
      '- [Invoice](Pending_Approval/email/EMAIL_2026-11-20_x_abcdef.md) · to ana@acme.example · 2026-11-20 10:15',
    )
  })

  test('shows HALT, problems, conflict copies, notes and what was done', () => {
    const text = renderDashboard({
      ...EMPTY,
      isHalted: true,
      problems: ['the mail server refuses the password'],
      conflicts: ['Pending_Approval/email/EMAIL_2026-11-20_x_abcdef.conflict-cloud-20261120T100102Z-0a1b2c3d.md'],
      waiting: [{ ...TASK, path: 'Pending_Approval/email/F.md' }],
      updates: [{ agent: 'cloud', text: 'A reply waits: [[Pending_Approval/email/F.md|Invoice]]\n' }],
      done: [{ ...TASK, path: 'Done/2026-11/F.md', say: 'sent' }],
    })
    expect(text).toContain('**Halted.**')
    expect(text).toContain('⚠ the mail server refuses the password')
    expect(text.replaceAll('\\', '')).toContain(
      '[EMAIL_2026-11-20_x_abcdef.conflict-cloud-20261120T100102Z-0a1b2c3d.md](Pend',
    )
    expect(text).toContain('· what cloud wrote 2026-11-20 10:01, in a file')
    expect(text).toContain('- cloud: A reply waits: Invoice')
    expect(text).toContain('[Invoice](Done/2026-11/F.md) · sent')
  })

  test('shows when each other agent was last heard of, to the minute', () => {
    const at = (seconds: string) =>
      renderDashboard({
        ...EMPTY,
        signs: [
          { agent: 'cloud', at: `2026-11-20T10:15:${seconds}.000Z` },
          { agent: 'cloud-2', at: null },
        ],
      })
    expect(at('30').replaceAll('\\', '')).toContain(
      '| Last heard of cloud | 2026-11-20 10:15 |\n| Last heard of cloud-2 | never |',
    )
    expect(at('31')).toBe(at('30'))
  })

  test.each([
    ['a title', { waiting: [{ ...TASK, title: '](x) <img src=x>\n# Done\n- [ ] ![[a]]' }] }],
    ['a note', { updates: [{ agent: 'cloud', text: '<script>\n## Health\n[x](javascript:alert) ![[a]]' }] }],
    ['a problem', { problems: ['{{x}} <% y %>\n# Heading'] }],
  ])('makes %s of a stranger plain text on one line', (_what, facts) => {
    const text = renderDashboard({ ...EMPTY, ...facts })
    const active = text.replace(/\\./g, '')
    expect(active).not.toMatch(/<[a-z%]|!\[\[|\{\{|\]\((x|javascript)/)
    expect(text.match(/^#+ .*/gm)).toEqual(renderDashboard({ ...EMPTY, ...facts, ...plainOf(facts) }).match(/^#+ .*/gm))
  })

  test('drops a note about a task that waits no more, and keeps what is about none', () => {
    const note = (words: string, name: string) => ({
      agent: 'cloud',
      text: `${words}: [[Pending_Approval/email/${name}|x]]`,
    })
    const updates = [note('Over', 'done.md'), note('Waits', TASK.path.slice(23)), { agent: 'cloud', text: 'Good day' }]
    const text = renderDashboard({ ...EMPTY, waiting: [TASK], updates })
    expect(text).not.toContain('Over')
    expect(text).toMatch(/- cloud: Waits.*\n- cloud: Good day/)
    expect(renderDashboard({ ...EMPTY, updates: updates.slice(0, 1) })).not.toContain('## Notes')
  })

  test('lists fifty of many and counts the rest', () => {
    const text = renderDashboard({ ...EMPTY, waiting: Array.from({ length: 60 }, () => TASK) })
    expect(text.match(/^- \[Invoice/gm)).toHaveLength(50)
    expect(text).toContain('… and 10 more')
  })

  test('of the same facts is the same text', () => {
    expect(renderDashboard({ ...EMPTY, waiting: [TASK] })).toBe(renderDashboard({ ...EMPTY, waiting: [TASK] }))
  })
})

/** The same facts with harmless words: the headings must not differ. */
function plainOf(facts: Partial<DashboardFacts>): Partial<DashboardFacts> {
  return {
    ...(facts.waiting && { waiting: [TASK] }),
    ...(facts.updates && { updates: [{ agent: 'cloud', text: 'x' }] }),
    ...(facts.problems && { problems: ['x'] }),
  }
}
