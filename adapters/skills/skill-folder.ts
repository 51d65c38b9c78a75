import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import type { OpenSkill, Skill, SkillSummary } from '#core/ports/skills.ts'
import { isSkillResource, MAX_SKILL_FILE_BYTES, readSkill, SKILL_FILE, type SkillText } from '#core/skill.ts'

const RESOURCE_FOLDERS = ['assets', 'references'] as const
/** Names that are no folder of a skill: they can be in nobody's way, and no file outside is reached by one. */
const FOLDER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const MAX_SKILLS = 200

/** Skills in folders: those that came with the program, and over them, file by file, those of the owner. */
export interface SkillFolders {
  /** Every skill there is, by name. What is wrong with one keeps only that one from working. */
  list(): SkillSummary[]
  readonly open: OpenSkill
}

/** Nothing is kept: each call reads what stands there then. A folder that is missing holds no skills. */
export function skillFolders(shipped: string, own?: string): SkillFolders {
  // The owner's come first: a file of theirs hides the one of the same name.
  const roots = own === undefined ? [shipped] : [own, shipped]
  const open = (name: string): Skill => openSkill(roots, name)
  return {
    open,
    list: () =>
      [...new Set(roots.flatMap(foldersIn))].sort().map((name): SkillSummary => {
        try {
          const skill = open(name)
          for (const path of skill.files) skill.file(path)
          return { name, description: skill.description }
        } catch (error) {
          return { name, problem: (error as Error).message }
        }
      }),
  }
}

function foldersIn(root: string): string[] {
  return entries(root)
    .filter((entry) => FOLDER.test(entry.name) && !entry.isFile())
    .map((entry) => entry.name)
    .slice(0, MAX_SKILLS)
}

function openSkill(roots: readonly string[], name: string): Skill {
  if (!FOLDER.test(name)) throw invalid(JSON.stringify(name.slice(0, 80)), 'it is no name of a skill')
  const places = roots.map((root) => join(root, name)).filter(isFolder)
  const text = skillText(places, name)
  const files = [...new Set(places.flatMap(resourcesIn))].sort()
  return {
    ...text,
    files,
    file: (path) => {
      if (!isSkillResource(path)) throw invalid(`${name}/${path.slice(0, 80)}`, 'it is no file of a skill')
      return readFrom(places, path, `${name}/${path}`)
    },
  }
}

function skillText(places: readonly string[], name: string): SkillText {
  const read = readSkill(readFrom(places, SKILL_FILE, `${name}/${SKILL_FILE}`), name)
  if (read.ok) return read.skill
  const place = places.find((one) => lstatSync(join(one, SKILL_FILE), { throwIfNoEntry: false })) ?? name
  throw invalid(join(place, SKILL_FILE), read.problem)
}

/** The first place that has it counts, also when it cannot be read there. */
function readFrom(places: readonly string[], path: string, shown: string): string {
  for (const place of places) {
    const file = join(place, path)
    if (!path.includes('/') || isFolder(join(file, '..'))) {
      const text = readPlainFile(file)
      if (text !== undefined) return text
    }
  }
  throw invalid(shown, 'it is missing')
}

/** undefined when it is not there. A link is not followed, wherever it leads. */
function readPlainFile(file: string): string | undefined {
  let fd: number
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw invalid(file, code === 'ELOOP' ? 'it is a link' : `it cannot be opened (${code})`, cause)
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw invalid(file, 'it is no plain file')
    if (stat.size > MAX_SKILL_FILE_BYTES) throw invalid(file, `it is over ${MAX_SKILL_FILE_BYTES / 1024} KiB`)
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(fd))
  } catch (cause) {
    if (cause instanceof TypeError) throw invalid(file, 'it is no UTF-8 text', cause)
    throw cause
  } finally {
    closeSync(fd)
  }
}

function resourcesIn(place: string): string[] {
  return RESOURCE_FOLDERS.filter((folder) => isFolder(join(place, folder))).flatMap((folder) =>
    entries(join(place, folder))
      .map((entry) => `${folder}/${entry.name}`)
      .filter(isSkillResource),
  )
}

function entries(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw invalid(folder, `it cannot be listed (${(error as NodeJS.ErrnoException).code})`, error)
  }
}

/** Refuses a link that stands where a skill's folder should. */
function isFolder(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat?.isSymbolicLink()) throw invalid(path, 'it is a link')
  return stat?.isDirectory() ?? false
}

function invalid(file: string, problem: string, cause?: unknown): CountersignError {
  return new CountersignError('ERR_SKILL_INVALID', `reading the skill file ${file}: ${problem}`, { cause })
}
