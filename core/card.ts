import { type Action, actionRows, partsOf, textOf } from './action.ts'
import { changesBlocks, type DraftChanges, revisionRows } from './card-changes.ts'
import { readingRows } from './card-reading.ts'
import { type CardRow, code, plain } from './card-text.ts'
import { CODE_LABEL } from './confirmation.ts'
import { isDone } from './execution.ts'
import type { Claim } from './grounding.ts'
import { sourceBlock } from './grounding-card.ts'
import { hiddenMarkup, sayHidden } from './hidden-markup.ts'
import { shortId } from './ids.ts'
import { minuteOf } from './minute.ts'
import { quoteInert } from './quote.ts'
import { isHigh, type Risk } from './risk.ts'
import { renderSection, section, type TaskFile, withFront, withSection } from './task-file.ts'

/** What the card tells beside the action itself. Times are ISO 8601 UTC. */
export interface CardFacts {
  readonly digest: string
  readonly presentedAt: string
  readonly undoSeconds: number
  /** Why the file is back before the person, in plain words; undefined for a first presentation. */
  readonly notice?: string | undefined
  /** The worst first. */
  readonly risks: readonly Risk[]
  /** To be typed before it may be approved; undefined where that is not needed. */
  readonly code: string | undefined
  /** What the draft says that could be traced to a source. */
  readonly claims?: readonly Claim[]
  /** When the draft expires, by its file or the handbook. */
  readonly expires: string | undefined
  /** For any but the first draft of the task. */
  readonly changes?: DraftChanges | undefined
  /** Of a payment: how its account is known, as Markdown that is safe to show. */
  readonly knownPayee?: string | undefined
}

const UNTICKED = '- [ ] Approve\n- [ ] Reject\n- [ ] Redraft'
/** What has no text is changed in the front matter. */
const NO_TEXT =
  'Nothing but what the table says is done. To change it, edit the lines under `action:` at the top of this file: a new card is made, and you approve that one.'
const DRAFT_HEAD =
  '## Draft\n\nThis text goes out exactly as it stands here. Edit it freely: a card of the new text is made, and you approve that one.'
const MAX_ORIGINAL_CHARS = 100_000

/**
 * The approval card, rendered from the action and never from what the cloud wrote around it: only the draft, the
 * person's notes and the quoted original are taken over from the file. Ticks are reset. A person's own prose
 * outside the sections is kept once the file has been presented (before that, prose is the cloud's and is dropped).
 */
export function renderCard(task: TaskFile, action: Action, facts: CardFacts): TaskFile {
  const presented = withFront(task, { presented: { digest: facts.digest, at: facts.presentedAt } })
  const card = cardText(presented, action, facts)
  const decision = facts.code === undefined ? UNTICKED : `${UNTICKED}\n\n${CODE_LABEL}`
  if (task.front.presented && section(task, 'card') !== undefined && section(task, 'decision') !== undefined) {
    return withSection(withSection(presented, 'card', card), 'decision', decision)
  }
  const keep = (name: 'draft' | 'notes' | 'original') => section(task, name) ?? ''
  const body = [
    `# ${plain(task.front.title)}`,
    renderSection('decision', decision),
    'Tick one box and save, or move this file to `Approved/` or `Rejected/`.',
    renderSection('card', card),
    ...(textOf(action) === undefined ? [NO_TEXT] : [DRAFT_HEAD, renderSection('draft', keep('draft'))]),
    '## Notes to the drafter\n\nWrite here what should change, then tick *Redraft*.',
    renderSection('notes', keep('notes')),
    '## What it answers',
    renderSection('original', inertOriginal(keep('original'))),
  ].join('\n\n')
  return { ...presented, body: `\n${body}\n` }
}

/** The quote came through the cloud: it is made inert here again, whatever was done to it there. */
function inertOriginal(original: string): string {
  return quoteInert(original.replace(/^`{3,}(text)?$/gm, ''), { maxChars: MAX_ORIGINAL_CHARS })
}

function cardText(task: TaskFile, action: Action, facts: CardFacts): string {
  const rows: CardRow[] = [
    ...actionRows(action),
    ...(facts.knownPayee === undefined ? [] : [['Known account', facts.knownPayee] satisfies CardRow]),
    ...readingRows(partsOf(action).text),
    ...codeRow(task, facts),
    ['Expires', facts.expires ? minuteOf(facts.expires) : 'never'],
    ...revisionRows(facts.changes),
    ['Drafted by', drafter(task)],
    ...remarkRow(task),
    [
      'Then',
      `after you approve, ${facts.undoSeconds} s to take it back; then it ${textOf(action) === undefined ? 'is done' : 'goes out'} once and this file moves to Done`,
    ],
    ['Fingerprint', code(facts.digest.slice(0, 23))],
  ]
  const remarks = [
    ...(facts.notice ? [`**Please look again:** ${plain(facts.notice)}`] : []),
    ...warningsOf(task, action).map((warning) => `⚠ ${warning}`),
    ...facts.risks.map((risk) => `${isHigh(risk) ? '⛔ **High risk:**' : '⚠'} ${plain(risk.say)}`),
  ]
  const table = ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${inCell(value)} |`)]
  // A line right after a quote is part of the quote, and lines of a quote flow together: blanks keep them apart.
  const blocks = [
    remarks.map((remark) => `> ${remark}`).join('\n>\n'),
    table.join('\n'),
    ...changesBlocks(facts.changes),
    sourceBlock(facts.claims ?? [], task.front.kind),
  ]
  return blocks.filter((block) => block !== '').join('\n\n')
}

/** With every pipe escaped, by an odd number of backslashes: an even one would end the cell, and hide what follows. */
function inCell(value: string): string {
  return value.replace(/(\\*)\|/g, (pipe, before: string) => (before.length % 2 === 1 ? pipe : `${before}\\|`))
}

/** What the card of a file warns of, the worst first, as it says it. */
export function warningsIn(task: TaskFile): { level: Risk['level']; say: string }[] {
  return [...(section(task, 'card') ?? '').matchAll(/^> (⛔ \*\*High risk:\*\*|⚠) (.+)$/gmu)].map(
    ([, mark, say = '']) => {
      return { level: mark === '⚠' ? 'notice' : 'high', say: say.replace(/\\(?=[!-/:-@[-`{-~])/g, '') }
    },
  )
}

function codeRow(task: TaskFile, facts: CardFacts): CardRow[] {
  if (facts.code === undefined) return []
  const command = `countersign approve ${shortId(task.front.id)} --code ${facts.code}`
  const how = `type ${code(facts.code)} after *${CODE_LABEL}* under the boxes, then tick *Approve*; or ${code(command)}`
  return [['Code', how]]
}

function warningsOf(task: TaskFile, action: Action): string[] {
  const hidden = hiddenMarkup(textOf(action) ?? '')
  return [
    ...(isDone(task) ? ['this task was executed before; it will not be executed again'] : []),
    ...(hidden ? [plain(sayHidden(hidden))] : []),
  ]
}

/** The cloud's words, like the draft: they tell what it knows of its own text. */
function remarkRow({ front }: TaskFile): CardRow[] {
  const remark = front.drafted?.remark
  return remark ? [['The drafter’s remark', plain(remark)]] : []
}

function drafter(task: TaskFile): string {
  const drafted = task.front.drafted
  if (!drafted) return 'unknown'
  const isPaid = drafted.cost_usd !== undefined && drafted.cost_usd !== '0'
  const cost = isPaid ? `, for ${plain(drafted.cost_usd ?? '')} USD` : ''
  return `${code(drafted.by)} with ${code(drafted.model)}, ${minuteOf(drafted.at)}${cost}`
}
