import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { CountersignError } from '#core/errors.ts'

/** A skill of `skills/<name>/` (agentskills.io): its asset files are read when asked for, so that an edit counts at the next draft. */
export interface SkillFolder {
  readonly name: string
  /** UTF-8 text of `assets/<file>`. Throws ERR_CONFIG_INVALID when it is missing or over 64 KiB. */
  asset(file: string): string
}

const MAX_ASSET_BYTES = 64 * 1024

export function openSkill(skillsDir: string, name: string): SkillFolder {
  const read = (file: string): string => {
    const path = join(skillsDir, name, file)
    try {
      if (statSync(path).size > MAX_ASSET_BYTES) throw new Error(`it is over ${MAX_ASSET_BYTES / 1024} KiB`)
      return readFileSync(path, 'utf8')
    } catch (cause) {
      throw new CountersignError('ERR_CONFIG_INVALID', `reading the skill file ${path}: ${(cause as Error).message}`, {
        cause,
      })
    }
  }
  read('SKILL.md')
  return { name, asset: (file) => read(join('assets', file)) }
}
