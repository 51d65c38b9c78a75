import { createHash } from 'node:crypto'
import { code } from './card-text.ts'
import { isTaskId, type TaskId } from './ids.ts'
import { sameAddress } from './look-alike.ts'
import { maskSecrets } from './mask-mail.ts'
import { plainMarkdown, quoteKept, revealInvisible, unlinked } from './quote.ts'
import { isConflictCopy, type VaultPath, vaultPath } from './vault-path.ts'

/** What a drafter wrote, and what the person made of it before they approved it. */
export interface Example {
  /** Of the task. */
  readonly id: TaskId
  /** ISO 8601 UTC. */
  readonly at: string
  readonly title: string
  readonly before: string
  readonly after: string
}

/** The newest pairs of a note stay. */
export const MAX_EXAMPLES = 5
/** A larger note is none of ours: it is neither read nor added to. */
export const MAX_EXAMPLES_BYTES = 128 * 1024
/** Of each text. */
const MAX_CHARS = 2_500
const MAX_NAME = 100
const BEGIN = /^<!-- countersign:example ([0-9A-Z]{26}) -->$/
const END = '<!-- countersign:/example -->'

/**
 * The note of a correspondent. `anna@client.example` → `Examples/anna at client.example.md`; an address that a file name
 * cannot show letter for letter gets its digest besides, so that no two share a note.
 */
export function examplesPath(address: string): VaultPath {
  const same = sameAddress(address)
  const plain = same.replace('@', ' at ')
  const isPlain = /^[a-z0-9][a-z0-9._+-]* at [a-z0-9.-]*[a-z0-9]$/.test(plain) && plain.length <= MAX_NAME
  if (isPlain && !isConflictCopy(`${plain}.md`)) return vaultPath(`Examples/${plain}.md`)
  const digest = createHash('sha256').update(same).digest('hex').slice(0, 12)
  const readable = plain
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9._+-]+/g, ' ')
    .slice(0, MAX_NAME)
    .replace(/^[^A-Za-z0-9]+/, '')
  return vaultPath(`Examples/${`${readable || 'address'} (${digest})`.replace(/ +/g, ' ')}.md`)
}

/** Worth remembering: other words, not only other blanks. */
export function isEdited(before: string, after: string): boolean {
  const words = (text: string) => text.normalize('NFC').replace(/\s+/g, ' ').trim()
  return words(before) !== words(after)
}

/**
 * The note with one more pair, the newest first; what the person wrote around them stays. The same note when it has the
 * pair already. Secrets are masked: a note that holds one would never leave this machine.
 */
export function withExample(note: string | undefined, address: string, example: Example): string {
  const lines = linesOf(note ?? maskSecrets(headOf(address)).text)
  if (blocksOf(lines).some(({ id }) => id === example.id)) return note ?? ''
  const oldest = blocksOf(lines).slice(MAX_EXAMPLES - 1)
  for (const { from, to } of oldest.toReversed()) lines.splice(from, to - from + 1)
  const at = blocksOf(lines)[0]?.from ?? lines.length
  const before = lines.slice(0, at).join('\n').trimEnd()
  const after = lines.slice(at).join('\n').trim()
  return `${[before, blockOf(example), after].filter((part) => part !== '').join('\n\n')}\n`
}

/** The pairs of a note that can be read, in its order; whatever else stands in it is the person's. */
export function readExamples(note: string): { readonly before: string; readonly after: string }[] {
  const lines = linesOf(note)
  return blocksOf(lines).flatMap(({ from, to }) => {
    const [before, after, ...more] = fencedIn(lines.slice(from + 1, to))
    return before === undefined || after === undefined || more.length > 0 ? [] : [{ before, after }]
  })
}

/** For a drafter: what was sent, then what it had been. */
export function exampleTexts(note: string): string[] {
  return readExamples(note).map(({ before, after }) => `They sent:\n\n${after}\n\nThe draft had been:\n\n${before}`)
}

function headOf(address: string): string {
  return [
    `# What you changed in drafts to ${code(sameAddress(address))}`,
    'Before you approved them. The drafter reads this before it writes to them again. Delete what it should not go by: one of',
    'the pairs with the marks around it, or this whole note.',
  ].join('\n')
}

function blockOf({ id, at, title, before, after }: Example): string {
  const text = (words: string) => quoteKept(shortened(revealInvisible(maskSecrets(words).text)))
  const heading = `## ${at.slice(0, 10)}: ${unlinked(plainMarkdown(maskSecrets(title).text, 120)) || 'untitled'}`
  const parts = [heading, 'The draft:', text(before), 'What you made of it:', text(after)]
  return `<!-- countersign:example ${id} -->\n${parts.join('\n\n')}\n${END}`
}

function shortened(text: string): string {
  return text.length <= MAX_CHARS ? text : `${text.slice(0, MAX_CHARS).toWellFormed()}\n[…]`
}

interface Block {
  readonly id: TaskId
  readonly from: number
  readonly to: number
}

/** What stands between two marks; a mark without its other is text. */
function blocksOf(lines: readonly string[]): Block[] {
  const blocks: Block[] = []
  let open: { id: TaskId; from: number } | undefined
  for (const [at, line] of lines.entries()) {
    const id = BEGIN.exec(line)?.[1] ?? ''
    if (isTaskId(id)) open = { id, from: at }
    if (line === END && open) {
      blocks.push({ ...open, to: at })
      open = undefined
    }
  }
  return blocks
}

function fencedIn(lines: readonly string[]): string[] {
  const texts: string[] = []
  let fence: string | undefined
  let held: string[] = []
  for (const line of lines) {
    if (fence === undefined) fence = /^(`{3,})text$/.exec(line)?.[1]
    else if (line === fence) {
      texts.push(held.join('\n'))
      held = []
      fence = undefined
    } else held.push(line)
  }
  return texts
}

function linesOf(text: string): string[] {
  return text
    .replace(/^\ufeff/, '')
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => line.trimEnd())
}
