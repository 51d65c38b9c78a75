import { describe, expect, test } from 'vitest'
import { isSkillResource, readSkill } from './skill.ts'

const GOOD = `---
name: write-notes
description: Writes notes. Use when one is wanted.
license: MIT
allowed-tools: Bash(countersign status:*) draft_email
metadata:
  model: small
---

# Notes

Write them.
`

test('reads name, description, metadata and the instructions below them', () => {
  expect(readSkill(GOOD.replaceAll('\n', '\r\n'), 'write-notes')).toEqual({
    ok: true,
    skill: {
      name: 'write-notes',
      description: 'Writes notes. Use when one is wanted.',
      metadata: { model: 'small' },
      instructions: '# Notes\n\nWrite them.',
    },
  })
})

describe('refuses', () => {
  test.each([
    ['no front matter', '# Notes', 'front matter'],
    ['front matter that does not end', GOOD.replace('\n---\n\n#', '\n\n#'), 'front matter'],
    ['broken YAML', GOOD.replace('license: MIT', 'license: [MIT'), 'not valid YAML'],
    ['a YAML tag', GOOD.replace('license: MIT', 'license: !!js/function x'), 'not valid YAML'],
    ['an alias', GOOD.replace('MIT', '&a MIT').replace('small', '*a'), 'YAML'],
    ['the same key twice', GOOD.replace('license: MIT', 'license: MIT\nlicense: X'), 'twice'],
    ['an unknown key', GOOD.replace('license: MIT', 'model: small'), 'unknown key “model”'],
    ['no description', GOOD.replace(/description.*\n/, ''), 'description'],
    ['too long a description', GOOD.replace('Writes', 'W'.repeat(1024)), 'description'],
    ['tools as a list', GOOD.replace(/allowed-tools.*/, 'allowed-tools: [a]'), 'allowed-tools'],
    ['metadata of several levels', GOOD.replace('model: small', 'model:\n    size: small'), 'nested too deeply'],
    ['a name with capitals', GOOD.replace('write-notes', 'Write-Notes'), 'name'],
    ['another name than its folder', GOOD.replace('write-notes', 'write-note'), 'the same'],
    ['no instructions', GOOD.slice(0, GOOD.indexOf('# Notes')), 'no instructions'],
    ['more than 64 KiB', GOOD + 'x'.repeat(64 * 1024), '64 KiB'],
    ['a control character', GOOD.replace('MIT', 'M\u0007IT'), 'control character'],
  ])('%s', (_what, text, problem) => {
    const read = readSkill(text, text.includes('Write-Notes') ? 'Write-Notes' : 'write-notes')
    expect(read).toEqual({ ok: false, problem: expect.stringContaining(problem) })
  })
})

test.each([
  ['assets/reply.de.md', true],
  ['references/networks.md', true],
  ['SKILL.md', false],
  ['assets/../SKILL.md', false],
  ['assets/a/b.md', false],
  ['/etc/passwd', false],
  ['assets/.hidden.md', false],
  ['assets/run.sh', false],
  ['scripts/run.md', false],
  ['assets/a.md\u0000', false],
])('may %j be a file of a skill: %s', (path, may) => {
  expect(isSkillResource(path)).toBe(may)
})
