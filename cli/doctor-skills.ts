import { join } from 'node:path'
import { skillFolders } from '#adapters/skills/skill-folder.ts'
import type { Finding } from '#core/finding.ts'
import { attempt } from './finding.ts'

/** Whether every skill can be used, the owner's own included. `env`: that of the zone's processes. */
export function skillsFinding(env: Readonly<Record<string, string | undefined>>): Promise<Finding> {
  const shipped = env.COUNTERSIGN_SKILLS ?? join(import.meta.dirname, '..', 'skills')
  return attempt('skills', '', async () => {
    const list = skillFolders(shipped, env.COUNTERSIGN_SKILLS_OWN).list()
    const problems = list.flatMap(({ problem }) => problem ?? [])
    if (problems.length > 0) throw new Error(problems.join('; '))
    return `${list.length} can be used`
  })
}
