import { expect, test } from 'vitest'
import { linesOf } from './log-lines.ts'

const TASK = '01K9ZZZZZZZZZZZZZZZZ7H3K9Q'
const line = (change: object) =>
  JSON.stringify({
    level: 'info',
    time: '2026-11-30T10:00:00.123Z',
    service: 'drafter',
    zone: 'cloud',
    task: TASK,
    msg: 'draft: drafted',
    ...change,
  })

test('finds the lines about one task, with what says more', () => {
  const log = [
    line({ generation: 1, outcome: 'drafted' }),
    line({ task: '01K9ZZZZZZZZZZZZZZZZ8H3K9Q' }),
    'no JSON',
    '',
  ].join('\n')
  expect(linesOf(TASK, log)).toEqual([
    {
      at: '2026-11-30T10:00:00.123Z',
      from: 'cloud/drafter',
      level: 'info',
      message: 'draft: drafted',
      more: 'outcome: drafted, generation: 1',
    },
  ])
})

test('an error says its code and message', () => {
  const [found] = linesOf(TASK, line({ level: 'error', err: { code: 'ERR_MAIL_REFUSED', message: 'no' } }))
  expect(found).toMatchObject({ level: 'error', more: 'ERR_MAIL_REFUSED: no' })
})

test('what stands before the JSON is passed over', () => {
  expect(linesOf(TASK, `drafter-1  | ${line({})}`)).toHaveLength(1)
})

test.each([`{"task":"${TASK}"`, line({ time: 'yesterday' }), `"${TASK}"`, `{"msg":"${TASK}"}`, `null ${TASK}`])(
  'passes over %s',
  (text) => {
    expect(linesOf(TASK, text)).toEqual([])
  },
)
