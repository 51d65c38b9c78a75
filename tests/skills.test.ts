import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SkillsExtension } from '@modelcontextprotocol/server/ext/skills'
import { nodeSkillFiles } from '@modelcontextprotocol/server/ext/skills/node'
import { validate } from 'skills-ref'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { skillFolders } from '#adapters/skills/skill-folder.ts'

const SKILLS = join(import.meta.dirname, '../skills')

test('every skill folder is valid for the MCP SDK’s own loader', async () => {
  const loaded = await SkillsExtension.load(nodeSkillFiles(SKILLS), { strict: true })
  expect(loaded).toBeDefined()
})

test.each(readdirSync(SKILLS))(
  '%s is valid for the reference library, which knows no keys but those of the specification',
  async (name) => {
    expect(await validate(join(SKILLS, name))).toEqual([])
  },
)

test('the validators see what is wrong', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skills-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'greet'))
  writeFileSync(join(folder, 'greet/SKILL.md'), '---\nname: greeting\ndescription: x\nmodel: small\n---\nx\n')
  expect((await validate(join(folder, 'greet'))).join()).toMatch(/model/)
  await expect(SkillsExtension.load(nodeSkillFiles(folder), { strict: true })).rejects.toThrow()
})

test('the program’s own loader takes each of them, with every file', () => {
  const list = skillFolders(SKILLS).list()
  expect(list.map(({ name }) => name)).toEqual(readdirSync(SKILLS))
  expect(list.flatMap(({ problem }) => problem ?? [])).toEqual([])
})

test('commands that skills speak of exist', () => {
  const commands = new Set(readdirSync(join(SKILLS, '../cli/commands')).map((file) => file.replace(/\.ts$/, '')))
  const named = readdirSync(SKILLS).flatMap((name) => {
    const text = readFileSync(join(SKILLS, name, 'SKILL.md'), 'utf8')
    return [...text.matchAll(/(?:`|Bash\()countersign (?:--json )?([a-z-]+)/g)].map(([, command = '']) => command)
  })
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter((command) => !commands.has(command))).toEqual([])
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
