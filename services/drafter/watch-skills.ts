import type { SkillSummary } from '#core/ports/skills.ts'
import type { Log } from '#runtime/logger.ts'

/**
 * Tells at the start which skills there are, and makes a check of `/readyz`: false words while one that drafts is broken.
 * A broken one that this service does not use is only told of.
 */
export function watchSkills(
  list: () => SkillSummary[],
  used: Readonly<Record<string, string>>,
  log: Log,
): () => Promise<true | string> {
  const names = Object.values(used)
  for (const one of list()) {
    if (one.problem === undefined) log.info({ name: one.name }, one.description)
    else log.warn({ name: one.name }, `this skill does not work: ${one.problem}`)
  }
  return async () => {
    const found = list()
    const missing = names.filter((name) => !found.some((one) => one.name === name))
    const broken = found.filter((one) => names.includes(one.name)).flatMap(({ problem }) => problem ?? [])
    const problems = [...missing.map((name) => `the skill ${name} is missing`), ...broken]
    return problems.length === 0 || problems.join('; ')
  }
}
