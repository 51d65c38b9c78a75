import { withoutComments } from './handbook-lines.ts'

/** A heading with what stands below it up to the next heading of any level. */
export interface HandbookSection {
  /** Empty for what stands before the first heading. */
  readonly heading: string
  /** 0 without a heading. */
  readonly level: number
  readonly body: string
  /** The headings above it, the outermost first. */
  readonly within: readonly string[]
}

const ALWAYS =
  /\b(?:tone|voice|style|signature|rules?|never|do ?n[o’']?t|do|must|always|policy|policies|ton|stil|regeln|nie|niemals|immer)\b/iu
/** Where the person wrote down what may be said to anybody. */
const ANSWERS =
  /^\W*(?:answers?|public answers|faqs?|frequently asked questions|opening hours|office hours|business hours|address|how to (?:find|reach) us|antworten|häufige fragen|öffnungszeiten|adresse|anfahrt|réponses|questions fréquentes|horaires(?: d.ouverture)?|respuestas|preguntas frecuentes|horario|dirección|risposte|domande frequenti|orari(?: di apertura)?|indirizzo|antwoorden|veelgestelde vragen|openingstijden|adres|odpowiedzi|najczęstsze pytania|godziny otwarcia)\W*$/iu
const MAX_SNIPPET_CHARS = 600
const MAX_SNIPPETS = 3
const MIN_WORD = 4

/** The sections of a handbook in their order, without comments. */
export function sectionsIn(handbook: string): HandbookSection[] {
  const { lines } = withoutComments(handbook)
  const sections: { heading: string; level: number; lines: string[]; within: string[] }[] = []
  let current = { heading: '', level: 0, lines: [] as string[], within: [] as string[] }
  const open: { heading: string; level: number }[] = []
  for (const line of lines) {
    const match = /^(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$/.exec(line)
    if (!match) {
      current.lines.push(line)
      continue
    }
    sections.push(current)
    const level = match[1]?.length ?? 1
    while ((open.at(-1)?.level ?? 0) >= level) open.pop()
    current = { heading: match[2] ?? '', level, lines: [], within: open.map((one) => one.heading) }
    open.push({ heading: current.heading, level })
  }
  sections.push(current)
  return sections
    .map(({ lines: body, ...section }) => ({
      ...section,
      body: body
        .join('\n')
        .replace(/\n{3,}/g, '\n\n')
        .trim(),
    }))
    .filter(({ heading, body }) => heading !== '' || body !== '')
}

export interface HandbookChoice {
  readonly text: string
  /** How many sections did not fit. */
  readonly leftOut: number
}

/**
 * The handbook, or of a long one what matters for this mail, at most `maxChars`: always tone, signature, rules and what
 * must not be done; then the sections whose words the mail has most of. In the handbook's order; the same for the same input.
 */
export function chooseSections(handbook: string, about: string, maxChars: number): HandbookChoice {
  const sections = sectionsIn(handbook)
  const whole = sections.map(rendered).join('\n\n')
  if (whole.length <= maxChars) return { text: whole, leftOut: 0 }
  const words = wordsOf(about)
  const ranked = sections
    .map((section, index) => ({ section, index, score: scoreOf(section, words) }))
    .toSorted((a, b) => b.score - a.score || a.index - b.index)
  const chosen = new Map<number, string>()
  let room = maxChars
  for (const { section, index, score } of ranked) {
    if (score === 0) break
    const text = rendered(section)
    // What always counts is cut rather than left out.
    const fitting = text.length <= room ? text : score === Number.POSITIVE_INFINITY ? cutAtLine(text, room) : ''
    if (fitting === '') continue
    chosen.set(index, fitting)
    room -= fitting.length + 2
  }
  const text = [...chosen].toSorted(([a], [b]) => a - b).map(([, one]) => one)
  return { text: text.join('\n\n'), leftOut: sections.length - chosen.size }
}

/**
 * What the person wrote for everybody and what this mail asks for, ready to be quoted: sections called Answers, FAQ, Opening
 * hours and the like, or those below them, of whose heading the mail has every longer word. Nothing rather than something near.
 */
export function answersFor(handbook: string, asked: string): string[] {
  const words = wordsOf(asked)
  const found = sectionsIn(handbook).filter(({ heading, body, within }) => {
    if (body === '' || body.length > MAX_SNIPPET_CHARS) return false
    const isEntry = within.some((outer) => ANSWERS.test(outer))
    if (!isEntry && !ANSWERS.test(heading)) return false
    const wanted = [...wordsOf(heading)]
    return wanted.length > 0 && wanted.every((word) => words.has(word))
  })
  return found.slice(0, MAX_SNIPPETS).map(({ body }) => body)
}

function scoreOf({ heading, body, within }: HandbookSection, words: ReadonlySet<string>): number {
  if ([heading, ...within].some((one) => ALWAYS.test(one))) return Number.POSITIVE_INFINITY
  const named = [...wordsOf(heading)].filter((word) => words.has(word)).length
  const told = [...wordsOf(body)].filter((word) => words.has(word)).length
  return named * 5 + told
}

/** Longer words without accents, and by their first six letters, so that a plural is the same word. */
function wordsOf(text: string): Set<string> {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const words = plain.match(/[\p{L}\p{N}]+/gu) ?? []
  return new Set(words.filter((word) => word.length >= MIN_WORD).map((word) => word.slice(0, 6)))
}

function rendered({ heading, level, body }: HandbookSection): string {
  return level === 0 ? body : `${'#'.repeat(level)} ${heading}\n\n${body}`.trim()
}

function cutAtLine(text: string, maxChars: number): string {
  const cut = text.slice(0, Math.max(0, maxChars - 20))
  const end = cut.lastIndexOf('\n')
  return end <= 0 ? '' : `${cut.slice(0, end)}\n[shortened]`
}
