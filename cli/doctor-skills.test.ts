import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { skillsFinding } from './doctor-skills.ts'

test('says how many skills can be used, and which cannot', async () => {
  expect(await skillsFinding({})).toEqual({ check: 'skills', result: 'ok', found: '12 can be used' })
  const own = mkdtempSync(join(tmpdir(), 'own-skills-'))
  onTestFinished(() => rmSync(own, { recursive: true }))
  mkdirSync(join(own, 'greet'))
  writeFileSync(join(own, 'greet/SKILL.md'), 'no front matter')
  expect(await skillsFinding({ COUNTERSIGN_SKILLS_OWN: own })).toMatchObject({
    result: 'failed',
    found: expect.stringMatching(/greet\/SKILL\.md: it must begin with front matter/),
  })
})
