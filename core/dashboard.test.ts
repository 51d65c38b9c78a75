import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { renderDashboard, sayDuration } from './dashboard.ts'
import { type DashboardFacts, inOrder, type WaitingTask } from './dashboard-facts.ts'

const WEEK = {
  ...{ arrived: 0, drafted: 0, approved: 0, rejected: 0, sent: 0, unknown: 0 },
  ...{ medianWaitMs: undefined, spentToday: 0, spent: 0 },
}
const EMPTY: DashboardFacts = {
  ...{
    waiting: [],
    held: [],
    plans: [],
    handed: [],
    doneToday: [],
    doneThisMonth: 0,
    updates: [],
    conflicts: [],
    alerts: [],
    problems: [],
  },
  ...{ isHalted: false, hasReview: false, week: WEEK, counts: { needsAction: 0, inProgress: 0, approved: 0 } },
  news: { signs: [], services: [], silent: [], sync: undefined, quarantine: undefined },
}
const TASK: WaitingTask = {
  path: 'Pending_Approval/email/EMAIL_2026-11-20_x_abcdef.md',
  title: 'Invoice',
  say: 'e-mail to ana@acme.example',
  at: '2026-11-20T10:15:30.000Z',
  level: 'plain',
  key: 'task:1:1',
  isPrivate: false,
  isUrgent: false,
}
const shown = (facts: Partial<DashboardFacts>) => renderDashboard({ ...EMPTY, ...facts })
const plain = (text: string) => text.replaceAll('\\', '')

describe('the dashboard', () => {
  test('of an empty vault says so and shows no empty sections', () => {
    const text = shown({})
    expect(text).toContain('**Nothing waits for you · 0 done today**')
    expect(text).toContain('\n\nNothing waits for you.\n')
    expect(text).toContain('All is well.')
    expect(text).not.toMatch(/Standing still|Two versions|Notes from|Needs a look|urgent|undefined|NaN/)
  })

  test('links what waits in two short lines, with when it came', () => {
    const text = shown({ waiting: [TASK] })
    expect(text).toContain('## Waiting for you (1)')
    expect(plain(text)).toContain(`- [Invoice](${TASK.path})  \n  e-mail to ana@acme.example · 20 Nov 10:15\n`)
  })

  test('says of a task what is the matter with it', () => {
    const text = shown({ waiting: [{ ...TASK, level: 'high', why: 'the payee is new' }] })
    expect(text).toContain(' · 20 Nov 10:15  \n  ⚠ the payee is new\n')
  })

  test('puts what needs the closest look first, and the oldest first among equals', () => {
    const at = (level: WaitingTask['level'], day: number): WaitingTask => ({
      ...{ ...TASK, level, title: `${level} ${day}`, path: `Pending_Approval/email/EMAIL_${level}-${day}.md` },
      at: `2026-11-0${day}T00:00:00Z`,
    })
    const mixed = [at('plain', 1), at('high', 3), at('look', 2), at('plain', 4), at('high', 2), at('question', 5)]
    const order = ['question 5', 'high 2', 'high 3', 'look 2', 'plain 1', 'plain 4']
    expect(inOrder(mixed).map((task) => task.title)).toEqual(order)
    const text = shown({ waiting: inOrder(mixed) })
    expect(text).toContain('**6 wait for you (3 urgent) · 0 done today**')
    expect([...text.matchAll(/^- \[(.*)\]/gm)].map((match) => match[1])).toEqual(order)
    expect([...text.matchAll(/^### (.*)$/gm)].map((match) => match[1])).toEqual([
      'Was it done? Only you can find out',
      'High risk',
      'Look closely',
      'The others',
    ])
  })

  test('shows what must be seen before what waits', () => {
    const text = shown({
      isHalted: true,
      waiting: [TASK],
      problems: ['the mail server refuses the password'],
      alerts: [{ key: 'local:4', agent: 'local', at: '2026-11-20T10:01:02.000Z', say: 'an approval was refused' }],
      news: { ...EMPTY.news, quarantine: { key: 'x', faults: ['path-owner: Approved/EMAIL_x.md'] } },
    })
    const before = text.slice(0, text.indexOf('## Waiting'))
    expect(before).toContain('**1 waits for you · 3 to look at · 0 done today**')
    expect(before).toContain('**Halted.**')
    expect(before).toContain('⚠ the mail server refuses the password')
    expect(plain(before)).toContain('⚠ kept out of this vault: path-owner: Approved/EMAIL_x.md')
    expect(before).toContain('⚠ an approval was refused · local, 20 Nov 10:01')
    expect(text).not.toContain('All is well')
  })

  test('shows conflict copies, notes, what stands still and what was done', () => {
    const text = shown({
      conflicts: ['Pending_Approval/email/EMAIL_2026-11-20_x_abcdef.conflict-cloud-20261120T100102Z-0a1b2c3d.md'],
      waiting: [{ ...TASK, path: 'Pending_Approval/email/F.md' }],
      updates: [{ agent: 'cloud', text: 'A reply waits: [[Pending_Approval/email/F.md|Invoice]]\n' }],
      held: [{ path: 'Approved/G.md', title: 'Held', say: 'the mail server is away' }],
      doneToday: [{ ...TASK, path: 'Done/2026-11/F.md' }],
      doneThisMonth: 34,
    })
    expect(plain(text)).toContain('[EMAIL_2026-11-20_x_abcdef.conflict-cloud-20261120T100102Z-0a1b2c3d.md](Pend')
    expect(text).toContain('  what cloud wrote 20 Nov 10:01\n- Take over')
    expect(text).toContain('- cloud: A reply waits: Invoice')
    expect(text).toContain('## Done today (1)\n\n- [Invoice](Done/2026-11/F.md)')
    expect(text).toContain('- [Held](Approved/G.md)  \n  the mail server is away')
    expect(text).toContain('- 34 done this month')
  })

  test('names Review.md when it is there and something waits', () => {
    expect(shown({ hasReview: true, waiting: [TASK] })).toContain('[Review.md](Review.md)')
    expect(shown({ hasReview: true })).not.toContain('Review.md')
    expect(shown({ waiting: [TASK] })).not.toContain('Review.md')
  })

  test('tells how both zones are, to the minute', () => {
    const at = (seconds: string) =>
      shown({
        news: {
          ...EMPTY.news,
          signs: [
            { agent: 'cloud', at: `2026-11-20T10:15:${seconds}.000Z` },
            { agent: 'cloud-2', at: null },
            { agent: 'cloud-3', at: 'now' },
          ],
          services: [
            { name: 'executor', state: 'ready' },
            { name: 'sync', state: 'not ready' },
          ],
          sync: { state: 'hub unreachable', reachedAt: '2026-11-20T09:00:00.000Z' },
        },
      })
    expect(at('30')).toContain(
      [
        '- This machine: executor ready, sync not ready',
        '- Sync: hub unreachable, last reached 20 Nov 09:00',
        '- cloud: last heard of 20 Nov 10:15',
        '- cloud-2: never heard of',
        '- cloud-3: there, about a minute ago',
      ].join('\n'),
    )
    expect(at('31')).toBe(at('30'))
  })

  test('tells the numbers of the week', () => {
    const week = { arrived: 12, drafted: 11, approved: 8, rejected: 1, sent: 7, unknown: 1 }
    const text = shown({ week: { ...week, medianWaitMs: 840_000, spentToday: 0.0123, spent: 2.5 } })
    expect(text).toContain(
      [
        '- 12 arrived, 11 drafted',
        '- 8 approved, 1 rejected',
        '- 7 done, 1 with unknown outcome',
        '- They waited 14 min for you (median)',
        '- Drafting cost 0.0123 USD today, 2.50 USD in all',
      ].join('\n'),
    )
    expect([1, 59_499, 60_000, 7_200_000, 47 * 3_600_000, 49 * 3_600_000].map(sayDuration)).toEqual([
      ...['0 s', '59 s', '1 min', '2 h', '47 h', '2 days'],
    ])
  })

  test('shows no time that is none', () => {
    const say = (at: string) => shown({ alerts: [{ key: 'k', agent: 'cloud', at, say: 'x' }] })
    expect(say('2026-11-20](y)')).toContain('x · cloud, at no known time\n')
    expect(say('2026-13-20T10:00')).toContain('at no known time')
  })

  test('drops a note about a task that waits no more, and keeps what is about none', () => {
    const note = (words: string, name: string) => ({
      agent: 'cloud',
      text: `${words}: [[Pending_Approval/email/${name}|x]]`,
    })
    const updates = [note('Over', 'done.md'), note('Waits', TASK.path.slice(23)), { agent: 'cloud', text: 'Good day' }]
    const text = shown({ waiting: [TASK], updates })
    expect(text).not.toContain('Over')
    expect(text).toMatch(/- cloud: Waits.*\n- cloud: Good day/)
    expect(shown({ updates: updates.slice(0, 1) })).not.toContain('## Notes')
  })

  test('of five hundred lists fifty and counts the rest', () => {
    const text = shown({ waiting: Array.from({ length: 500 }, () => TASK) })
    expect(text.match(/^- \[Invoice/gm)).toHaveLength(50)
    expect(text).toContain('… and 450 more')
    expect(text.length).toBeLessThan(12_000)
  })

  test('keeps a bracket in the name of a note from ending its link', () => {
    const text = shown({ conflicts: ['Plans/a)(b.conflict-cloud-20261120T100102Z-0a1b2c3d.md'] })
    expect(text).toContain('](Plans/a%29%28b.conflict')
  })
})

describe('words of strangers', () => {
  const HOSTILE = [
    '](x) <img src=x>\n# Done\n- [ ] ![[a]]',
    '<script>\n## Health\n[x](javascript:alert) ![[a]]',
    '{{x}} <% y %>\n# Heading\n> **Halted.**',
    '`= dv.pages()` $= x `',
    'https://evil.example www.evil.example a@evil.example #tag %%x%% ==y== ~~z~~ &lt;b&gt;',
    '\u202egnp.exe\u200b |a|b|\n|---|---|',
  ]
  const everywhere = (words: string): Partial<DashboardFacts> => ({
    waiting: [{ ...TASK, title: words, say: words, why: words }],
    held: [{ ...TASK, title: words, say: words }],
    doneToday: [{ ...TASK, title: words, say: words }],
    updates: [{ agent: 'cloud', text: words }],
    alerts: [{ key: 'k', agent: 'cloud', at: '2026-11-20T10:00:00Z', say: words }],
    problems: [words],
    news: { ...EMPTY.news, quarantine: { key: 'k', faults: [words] }, services: [{ name: words, state: 'ready' }] },
  })
  const skeleton = (text: string) => text.match(/^(#+ .*|> .*|\s*- (?:\[|⚠|cloud)?|\s*)/gm)

  test.each(HOSTILE)('are plain on one line: %j', (words) => {
    const text = shown(everywhere(words))
    const active = text.replace(/\\./g, '')
    expect(active).not.toMatch(/<[a-z%]|!\[\[|\{\{|`[=$]|https:|www\.|@|%%|\|---|\]\((x|javascript)/)
    expect(active).not.toMatch(/\p{Cf}/u)
    expect(skeleton(text)).toEqual(skeleton(shown(everywhere('x'))))
  })

  test('of any kind change neither headings nor links, and the same facts are the same text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }), (words) => {
        const text = shown(everywhere(`x${words}`))
        expect(text.match(/^#+ .*/gm)).toEqual(shown(everywhere('x')).match(/^#+ .*/gm))
        const links = [...text.replace(/\\[\\[\]()]/g, '').matchAll(/\]\(([^)]*)\)/g)].map((match) => match[1])
        expect(links).toEqual([TASK.path, TASK.path, TASK.path])
        expect(shown(everywhere(`x${words}`))).toBe(text)
      }),
      { numRuns: 300 },
    )
  })
})
