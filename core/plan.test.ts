import { describe, expect, test } from 'vitest'
import type { TaskId } from './ids.ts'
import { plansOf, progressOf, type Step, stepOf } from './plan.ts'
import { planNotePath, readPlanNote, renderPlanNote } from './plan-note.ts'
import { newTaskFile } from './task-file.ts'
import { vaultPath } from './vault-path.ts'

const id = (sign: string) => `01K9ZZZZZZZZZZZZZZZZAAAAA${sign}` as TaskId
interface At {
  readonly folder?: string
  readonly parent?: string
  readonly after?: string[]
  readonly domain?: string
  readonly title?: string
  readonly more?: object
}
function step(sign: string, { folder = 'Pending_Approval/email', domain = 'email', ...at }: At = {}): Step {
  const task = newTaskFile(
    {
      ...{ id: id(sign), schema: '1', kind: 'EMAIL', domain, title: at.title ?? `Task ${sign}`, generation: '1' },
      created: '2026-11-20T10:00:00Z',
      ...(at.parent && { parent: id(at.parent) }),
      ...(at.after && { after: at.after.map(id) }),
      ...at.more,
    } as Parameters<typeof newTaskFile>[0],
    '',
  )
  return stepOf(vaultPath(`${folder}/EMAIL_2026-11-20_task_aaaaa${sign.toLowerCase()}.md`), task)
}
const done = { outcome: { status: 'done' } }
const only = (...steps: Step[]) => {
  const [plan, ...others] = plansOf(steps)
  if (!plan || others.length > 0) throw new Error(`${others.length} other plans`)
  return plan
}

describe('a plan', () => {
  test('is what came from one request, in the order in which it is done', () => {
    const plan = only(step('A', { after: ['B'] }), step('B', { parent: 'A' }))
    expect([plan.root, plan.title]).toEqual([id('A'), 'Task A'])
    expect(plan.steps.map((one) => one.id)).toEqual([id('B'), id('A')])
    expect(progressOf(plan)).toBe('0 of 2 steps done; next: step 1, waits for you')
  })

  test('is none for a task alone, nor for one whose predecessor is not known', () => {
    expect(plansOf([step('A'), step('B', { after: ['Z'] }), step('C', { parent: 'Y' })])).toEqual([])
  })

  test('keeps two requests apart', () => {
    expect(plansOf([step('A'), step('B', { parent: 'A' }), step('C'), step('D', { after: ['C'] })])).toHaveLength(2)
  })

  test.each<[string, At, string, string]>([
    ['open for the cloud', { folder: 'Needs_Action/accounting', domain: 'accounting' }, 'cloud', 'not taken up yet'],
    ['open for this machine', { folder: 'Needs_Action/payment', domain: 'payment' }, 'local', 'not taken up yet'],
    ['kept', { folder: 'Needs_Action/email', more: { for: 'local' } }, 'cloud', 'kept for local'],
    ['being drafted', { folder: 'In_Progress/cloud' }, 'cloud', 'cloud works on it'],
    ['waiting', {}, 'you', 'waits for you'],
    ['approved', { folder: 'Approved' }, 'local', 'approved'],
    ['on its way', { folder: 'In_Progress/local', more: { action: { tool: 'x' } } }, 'local', 'approved, on its way'],
    ['done', { folder: 'Done/2026-11', more: done }, 'local', 'done'],
    ['over', { folder: 'Done/2026-11' }, 'local', 'ended without being done'],
    ['rejected', { folder: 'Rejected' }, 'local', 'rejected'],
  ])('says whose turn it is with a step that is %s', (_what, at, zone, say) => {
    expect(step('A', at)).toMatchObject({ zone, say })
  })

  test('stops behind a step that was rejected, however far behind, and says so', () => {
    const plan = only(step('A', { folder: 'Rejected' }), step('B', { after: ['A'] }), step('C', { after: ['B'] }))
    expect(plan.steps.map(({ stopped }) => stopped)).toEqual([
      undefined,
      'what it was to follow (aaaaaa) was not done: rejected',
      'what it was to follow (aaaaaa) was not done: rejected',
    ])
    expect(progressOf(plan)).toMatch(/^0 of 3 steps done; stopped: /)
  })

  test('does not stop behind what was rejected before something that was done all the same', () => {
    const plan = only(
      step('A', { folder: 'Rejected' }),
      step('B', { folder: 'Done/2026-11', after: ['A'], more: done }),
      step('C', { after: ['B'] }),
    )
    expect(plan.steps.at(-1)?.stopped).toBeUndefined()
  })

  test('says of a circle that nothing of it is ever done', () => {
    const plan = only(step('A', { after: ['B'] }), step('B', { after: ['A'] }), step('C', { after: ['A'] }))
    expect(plan.steps.map(({ stopped }) => stopped?.slice(0, 15))).toEqual([
      'it waits for it',
      'it waits for it',
      undefined,
    ])
  })

  test('is over when all of it is', () => {
    const ended = [step('A', { folder: 'Done/2026-11', more: done }), step('B', { folder: 'Rejected', parent: 'A' })]
    expect([only(...ended).isOver, progressOf(only(...ended))]).toEqual([true, 'over; 1 of 2 steps done'])
  })
})

describe('its note', () => {
  const plan = only(
    step('A', { after: ['B'], title: 'Invoice | [for](x) March' }),
    step('B', { parent: 'A', folder: 'Done/2026-11', more: done }),
  )

  test('lists the steps with links, whose turn it is, and what each waits for', () => {
    const text = renderPlanNote(plan)
    expect(planNotePath(plan)).toBe('Plans/Plan aaaaaa.md')
    expect(text).toContain('# Plan: Invoice \\| \\[for\\](x) March')
    expect(text).toContain('1. ✓ `aaaaab` [Task B](../Done/2026-11/EMAIL_2026-11-20_task_aaaaab.md) · local · done')
    expect(text).toMatch(/2\. ▸ `aaaaaa` \[.*\) · you · waits for you, after `aaaaab`$/m)
    expect(readPlanNote(text)).toEqual({ steps: ['aaaaab', 'aaaaaa'], isOver: false })
    expect(renderPlanNote(plan)).toBe(text)
  })

  test('says that all of it is over', () => {
    const over = only(step('A', { folder: 'Rejected' }), step('B', { parent: 'A', folder: 'Rejected' }))
    expect(readPlanNote(renderPlanNote(over)).isOver).toBe(true)
  })

  test('tells of a payment neither its title nor its name: the note crosses to the other zone', () => {
    const bill = { domain: 'payment', folder: 'Needs_Action/payment', title: 'Secret Ltd' }
    const text = renderPlanNote(only(step('A', bill), step('B', { parent: 'A', after: ['A'] })))
    expect(text).not.toMatch(/Secret|EMAIL_2026-11-20_task_aaaaaa/)
    expect(text).toMatch(/1\. · `aaaaaa` a step that stays on the local machine · local · not taken up yet/)
  })
})
