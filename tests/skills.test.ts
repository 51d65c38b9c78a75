import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SkillsExtension } from '@modelcontextprotocol/server/ext/skills'
import { nodeSkillFiles } from '@modelcontextprotocol/server/ext/skills/node'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const SKILLS = join(import.meta.dirname, '../skills')

test('every skill folder is valid for the MCP SDK’s own loader', async () => {
  const loaded = await SkillsExtension.load(nodeSkillFiles(SKILLS), { strict: true })
  expect(loaded).toBeDefined()
})

test.each(readdirSync(SKILLS))(
  '%s is named as its folder, says when to use it, and links only to files it has',
  (name) => {
    const text = readFileSync(join(SKILLS, name, 'SKILL.md'), 'utf8')
    const front = parse(text.split('---\n')[1] ?? '') as Record<string, string>
    expect(front.name).toBe(name)
    expect(front.description).toMatch(/ Use when /)
    expect(text.split('\n').length).toBeLessThan(500)
    for (const [, link = ''] of text.matchAll(/\]\(([^)]+)\)/g))
      expect(readFileSync(join(SKILLS, name, link), 'utf8')).not.toBe('')
  },
)
