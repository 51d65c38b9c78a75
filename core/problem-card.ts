import type { CardFacts } from './card.ts'
import { plainMarkdown } from './quote.ts'
import { renderSection, section, type TaskFile, withFront, withSection } from './task-file.ts'

const BOXES = '- [ ] Reject\n- [ ] Redraft'

/**
 * The card of a task from which nothing could be done as it stands: why, and the two boxes that make sense. The note is
 * kept whole, whoever wrote it.
 */
export function renderProblemCard(task: TaskFile, say: string, facts: CardFacts): TaskFile {
  const presented = withFront(task, { presented: { digest: facts.digest, at: facts.presentedAt } })
  const card = [
    `> **There is nothing to approve here yet:** ${plainMarkdown(say, 600)}`,
    '>',
    '> Correct the front matter or the draft, answer the mail yourself and tick *Reject*, or tick *Redraft*.',
  ].join('\n')
  if (section(task, 'card') !== undefined && section(task, 'decision') !== undefined)
    return withSection(withSection(presented, 'card', card), 'decision', BOXES)
  // Half a card (one of the two sections) is the work of neither program nor person: it is replaced where it stands.
  const missing = (['decision', 'card'] as const).filter((name) => section(task, name) === undefined)
  const blocks = missing.map((name) => renderSection(name, name === 'card' ? card : BOXES))
  const withBlocks = { ...presented, body: `\n${blocks.join('\n\n')}\n${presented.body}` }
  return missing.includes('card')
    ? withSection(withBlocks, 'decision', BOXES)
    : withSection(withSection(withBlocks, 'card', card), 'decision', BOXES)
}
