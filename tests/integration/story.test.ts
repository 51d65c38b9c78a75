import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startDemo } from '#tests/support/demo-process.ts'

const STEPS = [
  'world',
  'cloud-up',
  'mail-sent',
  'triaged',
  'claimed',
  'drafted',
  'noted',
  'local-up',
  'card',
  'edited',
  'approved',
  'executed',
  'delivered',
  'remembered',
  'done-at-hub',
  'dashboard',
  'agreed',
  'audited',
  'once',
  'summary',
]

/** After the card: it goes back to the drafter and comes again. */
const WITH_MODEL = STEPS.flatMap((step) => (step === 'card' ? [step, 'asked-again', 'revised'] : [step]))

test.each([
  ['the template', [], STEPS],
  ['a scripted model', ['--model', 'scripted'], WITH_MODEL],
])('the demo with %s plays the whole story, verifies each step, and leaves nothing', async (_, args, steps) => {
  const temporary = await mkdtemp(join(tmpdir(), 'story-'))
  onTestFinished(() => rm(temporary, { recursive: true, force: true }))
  const demo = startDemo(['--mailbox', 'dev', ...args], temporary)
  const { code, lines, stderr } = await demo.ended
  expect({ failed: lines.filter((line) => !line.ok), stderr: code === 0 ? '' : stderr }).toEqual({
    failed: [],
    stderr: '',
  })
  expect([code, lines.map((line) => line.step)]).toEqual([0, steps])
  expect(lines.every((line) => typeof line.ms === 'number')).toBe(true)
  // What is removed is not named.
  expect(Object.keys(lines.at(-1) ?? {}).sort()).toEqual(['ms', 'ok', 'step', 'steps'])
  expect(await readdir(temporary)).toEqual([])
  expect(await demo.leftovers()).toEqual([])
})
