import { expect, test } from 'vitest'
import { z } from 'zod'
import { answerForm } from './answer-form.ts'

const form = answerForm('reply', z.strictObject({ text: z.string().min(1).max(20) }))

test('takes an answer of the form, in a code block too', () => {
  expect(form.read('{"text":"Yes."}')).toEqual({ ok: true, value: { text: 'Yes.' } })
  expect(form.read('```json\n{"text":"Yes."}\n```')).toEqual({ ok: true, value: { text: 'Yes.' } })
  expect(form.jsonSchema).toMatchObject({ type: 'object', required: ['text'], additionalProperties: false })
})

test.each([
  ['', 'the answer is empty'],
  ['Sure! Here it is.', 'the answer is not JSON'],
  ['{"text":""}', /^text: /],
  [`{"text":"${'x'.repeat(21)}"}`, /^text: /],
  ['{"text":"a","tool":"send_email"}', 'the answer: it has keys that were not asked for'],
  ['[]', /^the answer: /],
  [`{"text":"${'x'.repeat(300_000)}"}`, 'the answer is too long'],
])('refuses %.40s', (text, problem) => {
  const read = form.read(text)
  expect(read.ok ? '' : read.problem).toMatch(problem)
})

test('looks at an answer of line breaks alone no longer than at any other', () => {
  expect(form.read(`\`\`\`${'\n'.repeat(8_000)}x`)).toEqual({ ok: false, problem: 'the answer is not JSON' })
})

test('says what is wrong without the model’s words', () => {
  const read = form.read('{"text":"SECRET-WORDS-OF-A-STRANGER-xx","SECRET":1}')
  expect(JSON.stringify(read)).not.toContain('SECRET')
})
