import type { CardFacts } from './card.ts'
import { plainMarkdown } from './quote.ts'
import { renderSection, section, type TaskFile, withFront, withSection } from './task-file.ts'

type Shown = Pick<CardFacts, 'digest' | 'presentedAt'>

/**
 * The card of a task from which nothing could be done as it stands: why, and the two boxes that make sense. The note is
 * kept whole, whoever wrote it.
 */
export function renderProblemCard(task: TaskFile, say: string, facts: Shown): TaskFile {
  const card = [
    `> **There is nothing to approve here yet:** ${plainMarkdown(say, 600)}`,
    '>',
    '> Correct the front matter or the draft, answer the mail yourself and tick *Reject*, or tick *Redraft*.',
  ]
  return withCard(task, card.join('\n'), '- [ ] Reject\n- [ ] Redraft', facts)
}

const OUTCOMES = { 'It was done': 'done', 'It was not done': 'not-done' } as const
export type OutcomeWord = (typeof OUTCOMES)[keyof typeof OUTCOMES]

/** The card of a task of which nobody can tell whether it was done: what to look for, and the question. */
export function renderOutcomeCard(task: TaskFile, say: string, facts: Shown): TaskFile {
  const card = [
    `> **Was it done?** ${plainMarkdown(say, 600)}`,
    '>',
    '> Find out, then tick one box and save. *It was done* finishes the task; *It was not done* puts it before you again,',
    '> to be approved anew. Until then nothing more is done about it.',
  ]
  const boxes = Object.keys(OUTCOMES).map((word) => `- [ ] ${word}`)
  return withCard(task, card.join('\n'), boxes.join('\n'), facts)
}

/** What the person ticked on such a card. */
export function outcomeTicksOf(task: TaskFile): OutcomeWord[] {
  const lines = (section(task, 'decision') ?? '').split('\n')
  return Object.entries(OUTCOMES).flatMap(([word, value]) =>
    lines.some((line) => line === `- [x] ${word}` || line === `- [X] ${word}`) ? [value] : [],
  )
}

/** The text of such a card with one of its boxes ticked; undefined when it has none. */
export function withOutcomeTick(text: string, word: OutcomeWord): string | undefined {
  const label = Object.keys(OUTCOMES).find((one) => OUTCOMES[one as keyof typeof OUTCOMES] === word)
  const box = new RegExp(`(?<=\\n)- \\[ \\] ${label}(?=\\r?\\n)`)
  return box.test(text) ? text.replace(box, `- [x] ${label}`) : undefined
}

function withCard(task: TaskFile, card: string, boxes: string, facts: Shown): TaskFile {
  const presented = withFront(task, { presented: { digest: facts.digest, at: facts.presentedAt } })
  if (section(task, 'card') !== undefined && section(task, 'decision') !== undefined)
    return withSection(withSection(presented, 'card', card), 'decision', boxes)
  // Half a card (one of the two sections) is the work of neither program nor person: it is replaced where it stands.
  const missing = (['decision', 'card'] as const).filter((name) => section(task, name) === undefined)
  const blocks = missing.map((name) => renderSection(name, name === 'card' ? card : boxes))
  const withBlocks = { ...presented, body: `\n${blocks.join('\n\n')}\n${presented.body}` }
  return missing.includes('card')
    ? withSection(withBlocks, 'decision', boxes)
    : withSection(withSection(withBlocks, 'card', card), 'decision', boxes)
}
