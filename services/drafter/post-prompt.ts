import { chooseSections } from '#core/handbook-sections.ts'
import type { Skill } from '#core/ports/skills.ts'
import { fenceUntrusted } from '#core/prompt-fence.ts'
import { measuresOf, NETWORK_NAMES, type Network } from '#core/social-text.ts'
import { instructionsOf, revisionParts } from './reply-prompt.ts'

const MAX_HANDBOOK = 8_000
const MAX_GOALS = 8_000
const MAX_ASKED = 8_000

/** What a post may be made of, and its links may come from. */
export interface PostMaterial {
  readonly title: string
  readonly asked: string
  readonly notes: string
  readonly previous: string
  readonly goals: string
  readonly handbook: string
}

export function postPrompt(
  network: Network,
  material: PostMaterial,
  skill: Skill,
  ownerName: string,
): { instructions: string; prompt: string } {
  const { title, asked, goals, handbook } = material
  const about = `${title}\n${asked}\n${material.notes}`
  const limits = measuresOf(network, '').map(({ max, unit }) => `${max} ${unit}`)
  const task = fenceUntrusted('task', `${title}\n\n${asked.slice(0, MAX_ASKED)}`)
  const parts = [
    `Write one post for ${NETWORK_NAMES[network]}: at most ${limits.join(' and ')}. What it is to be about:\n\n${task}`,
    `# Business goals\n\n${chooseSections(goals, about, MAX_GOALS).text || 'There are none.'}`,
    ...revisionParts(material),
  ]
  return {
    instructions: instructionsOf(skill, ownerName, chooseSections(handbook, about, MAX_HANDBOOK)),
    prompt: parts.join('\n\n'),
  }
}
