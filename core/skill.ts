import { z } from 'zod'
import { readStrictYaml, type YamlLimits } from './strict-yaml.ts'

/** No file of a skill may be larger. */
export const MAX_SKILL_FILE_BYTES = 64 * 1024
export const SKILL_FILE = 'SKILL.md'
/** One level deep, plain names, text only: no path leads out of the folder. */
const RESOURCE = /^(?:references|assets)\/[A-Za-z0-9][A-Za-z0-9._-]{0,80}\.(?:md|txt|json)$/
const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const FRONT: YamlLimits = {
  maxBytes: 8 * 1024,
  maxLines: 100,
  maxDepth: 2,
  key: /^[A-Za-z][A-Za-z0-9_.-]{0,60}$/,
}

/** The front matter of agentskills.io; keys of our own stand below `metadata`, and any other is a typing mistake. */
const frontSchema = z.strictObject({
  name: z.string().max(64).regex(NAME, 'lower-case letters, digits and single hyphens'),
  description: z.string().trim().min(1).max(1024),
  license: z.string().max(200).optional(),
  compatibility: z.string().min(1).max(500).optional(),
  metadata: z.record(z.string(), z.string().max(1024)).default({}),
  'allowed-tools': z.string().max(1024).optional(),
})

/** What SKILL.md says; `instructions` is its body. */
export interface SkillText {
  readonly name: string
  readonly description: string
  readonly metadata: Readonly<Record<string, string>>
  readonly instructions: string
}

export type ReadSkill =
  | { readonly ok: true; readonly skill: SkillText }
  | { readonly ok: false; readonly problem: string }

/** Reads SKILL.md strictly. `folder` is the name of the folder it stands in, which the skill has to bear. Never throws. */
export function readSkill(source: string, folder: string): ReadSkill {
  if (Buffer.byteLength(source) > MAX_SKILL_FILE_BYTES) return fault(`it is over ${MAX_SKILL_FILE_BYTES / 1024} KiB`)
  const text = source.replace(/^\ufeff/, '').replaceAll('\r\n', '\n')
  const split = /^---\n([\s\S]*?\n)---(?:\n|$)/.exec(text)
  if (!split) return fault('it must begin with front matter between two lines of ---')
  const yaml = readStrictYaml(split[1] ?? '', FRONT)
  if (!yaml.ok) return fault(yaml.problem)
  const front = frontSchema.safeParse(yaml.value)
  if (!front.success) return fault(sayIssue(front.error.issues[0]))
  const { name, description, metadata } = front.data
  if (name !== folder)
    return fault(`its name is “${name}”, and its folder “${folder.slice(0, 64)}”: they must be the same`)
  const instructions = text.slice(split[0].length).trim()
  if (instructions === '') return fault('there are no instructions below the front matter')
  return { ok: true, skill: { name, description, metadata, instructions } }
}

/** Whether `path` may be a file of a skill besides SKILL.md. */
export function isSkillResource(path: string): boolean {
  return RESOURCE.test(path)
}

function sayIssue(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'unrecognized_keys')
    return `the front matter has the unknown key “${issue.keys[0]?.slice(0, 60)}”; keys of your own belong below metadata`
  return `“${issue?.path.join('.')}” in the front matter is missing or not allowed: ${issue?.message}`
}

function fault(problem: string): ReadSkill {
  return { ok: false, problem }
}
