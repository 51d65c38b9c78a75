import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { skillFolders } from './skill-folder.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'skills-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const shipped = () => join(root, 'shipped')
const own = () => join(root, 'own')
function put(path: string, text: string | Uint8Array) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}
const skill = (name: string, say: string) => `---\nname: ${name}\ndescription: ${say}\n---\n${say}\n`
const problemOf = (make: () => unknown) => {
  try {
    make()
    return 'none'
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_SKILL_INVALID' })
    return (error as Error).message
  }
}

test('a file of the owner hides the one of the same name, and an edit counts at the next opening', () => {
  put('shipped/greet/SKILL.md', skill('greet', 'shipped'))
  put('shipped/greet/assets/a.md', 'shipped a')
  put('shipped/greet/assets/b.md', 'shipped b')
  put('own/greet/assets/b.md', 'own b')
  put('own/greet/assets/c.md', 'own c')
  const skills = skillFolders(shipped(), own())
  const greet = skills.open('greet')
  expect(greet).toMatchObject({ instructions: 'shipped', files: ['assets/a.md', 'assets/b.md', 'assets/c.md'] })
  expect(greet.files.map((path) => greet.file(path))).toEqual(['shipped a', 'own b', 'own c'])
  put('own/greet/SKILL.md', skill('greet', 'own'))
  expect(skills.open('greet').instructions).toBe('own')
  put('own/extra/SKILL.md', skill('extra', 'more'))
  expect(skills.list()).toEqual([
    { name: 'extra', description: 'more' },
    { name: 'greet', description: 'own' },
  ])
})

test('what is wrong with one skill is told, and keeps only that one from working', () => {
  put('shipped/good/SKILL.md', skill('good', 'fine'))
  put('shipped/good/scripts/run.sh', 'never offered')
  put('shipped/broken/SKILL.md', '---\nname: [\n---\nx\n')
  put('shipped/empty/assets/a.md', 'x')
  put('shipped/dumb/SKILL.md', skill('dumb', 'x'))
  put('shipped/dumb/assets/a.md', new Uint8Array([0xff, 0xfe]))
  put('shipped/README.md', 'no skill')
  const skills = skillFolders(shipped(), own())
  expect(skills.list()).toEqual([
    { name: 'broken', problem: expect.stringMatching(/broken\/SKILL\.md: .*YAML/) },
    { name: 'dumb', problem: expect.stringMatching(/dumb\/assets\/a\.md: it is no UTF-8 text/) },
    { name: 'empty', problem: expect.stringMatching(/empty\/SKILL\.md: it is missing/) },
    { name: 'good', description: 'fine' },
  ])
  expect(skills.open('good').files).toEqual([])
  expect(problemOf(() => skills.open('broken'))).toContain('broken/SKILL.md')
})

test('a broken file of the owner is not replaced in silence by the one that came with the program', () => {
  put('shipped/greet/SKILL.md', skill('greet', 'shipped'))
  put('own/greet/SKILL.md', 'no front matter')
  expect(problemOf(() => skillFolders(shipped(), own()).open('greet'))).toContain(join(own(), 'greet/SKILL.md'))
})

test('nothing outside a skill’s folder can be read, and no link is followed', () => {
  put('secret.md', 'secret')
  put('shipped/greet/SKILL.md', skill('greet', 'x'))
  mkdirSync(join(shipped(), 'greet/assets'))
  symlinkSync(join(root, 'secret.md'), join(shipped(), 'greet/assets/link.md'))
  const greet = skillFolders(shipped()).open('greet')
  expect(problemOf(() => greet.file('assets/link.md'))).toContain('it is a link')
  for (const path of ['../../secret.md', '/etc/hostname', 'assets/../../../secret.md', 'SKILL.md/../x.md'])
    expect(problemOf(() => greet.file(path))).toContain('no file of a skill')
  for (const name of ['../shipped/greet', '.', '..', '', 'a/b'])
    expect(problemOf(() => skillFolders(shipped()).open(name))).toContain('no name of a skill')
  mkdirSync(join(root, 'elsewhere/assets'), { recursive: true })
  symlinkSync(join(root, 'elsewhere'), join(shipped(), 'linked'))
  symlinkSync(join(root, 'elsewhere'), join(shipped(), 'greet/references'))
  expect(skillFolders(shipped()).list()).toEqual([
    { name: 'greet', problem: expect.stringContaining('it is a link') },
    { name: 'linked', problem: expect.stringContaining('it is a link') },
  ])
})

test('a file over 64 KiB is not read', () => {
  put('shipped/greet/SKILL.md', skill('greet', 'x'))
  put('shipped/greet/assets/long.md', 'x'.repeat(64 * 1024 + 1))
  put('shipped/greet/assets/full.md', 'x'.repeat(64 * 1024))
  const greet = skillFolders(shipped()).open('greet')
  expect(problemOf(() => greet.file('assets/long.md'))).toContain('over 64 KiB')
  expect(greet.file('assets/full.md')).toHaveLength(64 * 1024)
})
