import { parseDocument, stringify } from 'yaml'
import { z } from 'zod'
import { CountersignError } from './errors.ts'
import { isTaskId, type TaskId } from './ids.ts'
import { readStrictYaml, type YamlLimits } from './strict-yaml.ts'
import { fenceFault, typingFault } from './typing-fault.ts'
import { AGENT, DOMAINS } from './vault-path.ts'

/** Files larger than this are no task files. */
export const MAX_TASK_FILE_BYTES = 256 * 1024
const FRONT: YamlLimits = { maxBytes: 16 * 1024, maxLines: 400, maxDepth: 6, key: /^[a-z][a-z0-9_]{0,40}$/ }

const line = (max: number) => z.string().max(max)
const isoTime = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/, 'not a UTC time such as 2026-11-20T10:00:00Z')
  .refine((text) => Number.isFinite(Date.parse(text)), 'no such day or time')

/** All leaves are strings in the file (YAML's failsafe schema); unknown keys are kept. */
const frontSchema = z.looseObject({
  id: z
    .string()
    .refine(isTaskId, 'not a ULID')
    .transform((id) => id as TaskId),
  schema: z.literal('1'),
  kind: z.string().regex(/^[A-Z][A-Z0-9]{1,15}$/),
  domain: z.enum(DOMAINS),
  title: line(300),
  created: isoTime,
  source: z
    .looseObject({
      provider: line(40),
      account: line(254).optional(),
      message_id: line(998).optional(),
      thread_id: line(998).optional(),
      from: line(998).optional(),
      received: isoTime.optional(),
      /** As the sender wrote it, where `title` is quoted so that it is inert: the reply's subject is made of it. */
      subject: line(500).optional(),
      references: z.array(line(998)).max(50).optional(),
      /** Bare addresses a reply goes to, as triage read them from Reply-To or From. */
      reply_to: z.array(line(254)).max(5).optional(),
      /** Which messages of the thread stand in the original, oldest first (`messageMark`). */
      messages: z.array(line(60)).max(100).optional(),
      /** How many older ones stand there no more. */
      left_out: z
        .string()
        .regex(/^\d{1,9}$/)
        .optional(),
    })
    .optional(),
  risk: z.array(line(100)).max(50).default([]),
  generation: z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number),
  history: z
    .array(z.looseObject({ state: line(60), agent: line(40), at: isoTime }))
    .max(100)
    .default([]),
  drafted: z
    .looseObject({
      ...{ by: line(60), model: line(100), at: isoTime, cost_usd: line(20).optional() },
      /** Why it is not what it could have been, for the person. */
      remark: line(500).optional(),
    })
    .optional(),
  expires: isoTime.optional(),
  action: z.looseObject({ tool: line(60) }).optional(),
  presented: z.looseObject({ digest: line(80), at: isoTime }).optional(),
  outcome: z.looseObject({ status: line(40), at: isoTime.optional(), reason: line(500).optional() }).optional(),
  /** While it stands in Needs_Action: the one agent that may claim it. */
  for: z.string().regex(AGENT, 'not an agent name').optional(),
  parent: line(26).optional(),
  /** Another task that this message belongs to: the local zone puts the two together. */
  joins: line(26).optional(),
  priority: z.enum(['urgent', 'high', 'normal', 'low']).optional(),
  /** BCP 47, of the original. */
  language: line(35).optional(),
  /** Why it was sorted as it was: `handbook`, `rule`, `model` or `default`, and by which rule. */
  classified: z.looseObject({ by: line(20), rule: line(60) }).optional(),
  after: z.array(line(26)).max(20).optional(),
})

export type FrontMatter = z.output<typeof frontSchema>
/** Changes to front matter: numbers are written as strings, `undefined` removes a key. */
export type FrontPatch = { readonly [K in keyof FrontMatter]?: FrontMatter[K] | undefined }

/** A parsed task file. `frontText` and `body` together are the whole file, so rendering gives back every byte. */
export interface TaskFile {
  readonly front: FrontMatter
  readonly frontText: string
  readonly body: string
}

export type ParsedTask =
  | { readonly ok: true; readonly task: TaskFile }
  | { readonly ok: false; readonly rule: string; readonly problem: string }

/** Parts of the note between `<!-- countersign:NAME -->` and `<!-- countersign:/NAME -->`, each on a line of its own. */
export const SECTIONS = ['decision', 'card', 'draft', 'notes', 'original'] as const
export type SectionName = (typeof SECTIONS)[number]
const MARK = /^<!-- countersign:(\/?)([a-z]+) -->$/

/**
 * Reads a task file strictly: hostile YAML (aliases, tags, directives, duplicate keys, bombs), odd characters, missing
 * or repeated marks are refused with the rule and a sentence a person understands. Never throws. Windows line ends
 * are read as plain ones.
 */
export function parseTaskFile(source: string): ParsedTask {
  if (Buffer.byteLength(source) > MAX_TASK_FILE_BYTES)
    return refuse('file-size', `the file is over ${MAX_TASK_FILE_BYTES / 1024} KiB`)
  const text = source.replace(/^\ufeff/, '').replaceAll('\r\n', '\n')
  const split = /^---\n([\s\S]*?\n)---(?:\n|$)/.exec(text)
  if (!split) {
    const fault = fenceFault(text)
    const missing = 'the file must begin with front matter between two lines of ---'
    return refuse('front-matter-missing', fault === undefined ? missing : `${missing}; ${fault}`)
  }
  const frontText = split[1] ?? ''
  const body = text.slice(split[0].length)
  const front = parseFront(frontText)
  if (!front.ok) {
    const typed = typingFault(frontText)
    return typed === undefined ? front : refuse(front.rule, `${front.problem}; ${typed}`)
  }
  const marks = markProblem(body)
  if (marks) return refuse('marks', marks)
  return { ok: true, task: { front: front.value, frontText, body } }
}

export function renderTaskFile(task: TaskFile): string {
  return `---\n${task.frontText}---\n${task.body}`
}

/** A new task file from its front matter and note. Throws ERR_TASK_FILE_INVALID: what the program writes must read back. */
export function newTaskFile(front: z.input<typeof frontSchema>, body: string): TaskFile {
  const frontText = stringify(asStrings(front), { schema: 'failsafe', lineWidth: 0 })
  return reparse(frontText, body)
}

/** The same file with some front matter keys set (or removed); comments, order and unknown keys stay. */
export function withFront(task: TaskFile, patch: FrontPatch): TaskFile {
  const document = parseDocument(task.frontText, { schema: 'failsafe' })
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) document.delete(key)
    else document.set(key, document.createNode(asStrings(value)))
  }
  return reparse(document.toString({ lineWidth: 0 }), task.body)
}

/** What `change` makes of a task file; undefined when the file has no room for it. */
export function ifItFits<T>(change: () => T): T | undefined {
  try {
    return change()
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'ERR_TASK_FILE_INVALID') return undefined
    throw error
  }
}

/** The text of a section without its marks, or undefined when the note has none. */
export function section(task: TaskFile, name: SectionName): string | undefined {
  const lines = task.body.split('\n')
  const begin = lines.indexOf(openMark(name))
  return begin < 0 ? undefined : lines.slice(begin + 1, lines.indexOf(closeMark(name))).join('\n')
}

/** The same file with a section's text replaced, or appended as a new section at the end. */
export function withSection(task: TaskFile, name: SectionName, text: string): TaskFile {
  if (text.split('\n').some((one) => MARK.test(one)))
    throw new CountersignError('ERR_TASK_FILE_INVALID', `section ${name}: the text contains a mark line`)
  const block = renderSection(name, text)
  const current = section(task, name)
  const body =
    current === undefined
      ? `${task.body.replace(/(?<!\n)\n*$/, '\n\n')}${block}\n`
      : task.body.replace(renderSection(name, current), () => block)
  return reparse(task.frontText, body)
}

export function renderSection(name: SectionName, text: string): string {
  return text === '' ? `${openMark(name)}\n${closeMark(name)}` : `${openMark(name)}\n${text}\n${closeMark(name)}`
}

/** The draft as it would be sent: no blank lines around it. Undefined when there is no draft section. */
export function draftOf(task: TaskFile): string | undefined {
  return section(task, 'draft')
    ?.replace(/^(?:[ \t]*\n)+/, '')
    .trimEnd()
}

export type Decision = 'approve' | 'reject' | 'redraft'

/** Which of the three boxes are ticked in the decision section. Boxes elsewhere in the note do not count. */
export function ticksOf(task: TaskFile): Decision[] {
  const ticked = (section(task, 'decision') ?? '').matchAll(/^- \[[xX]\] (Approve|Reject|Redraft)\b/gm)
  return [...new Set([...ticked].map((match) => match[1]?.toLowerCase() as Decision))]
}

function parseFront(frontText: string): { ok: true; value: FrontMatter } | Extract<ParsedTask, { ok: false }> {
  const read = readStrictYaml(frontText, FRONT)
  if (!read.ok) return read
  const parsed = frontSchema.safeParse(read.value)
  return parsed.success
    ? { ok: true, value: parsed.data }
    : refuse('front-matter-schema', sayIssue(parsed.error.issues[0]))
}

function sayIssue(issue: z.core.$ZodIssue | undefined): string {
  const field = issue?.path.join('.')
  if (!field) return 'the front matter is not a list of keys and values'
  if (issue?.code === 'custom' || issue?.code === 'invalid_format')
    return `the value of "${field}" in the front matter is not allowed: ${issue.message}`
  return `"${field}" in the front matter is missing or has a value that is not allowed`
}

function markProblem(body: string): string | undefined {
  const seen = new Set<string>()
  let open: string | undefined
  for (const one of body.split('\n')) {
    const mark = MARK.exec(one)
    if (!mark) continue
    const [, slash, name = ''] = mark
    if (!(SECTIONS as readonly string[]).includes(name)) return `unknown mark: ${one}`
    if (slash) {
      if (open !== name) return `the mark ${one} closes what was not open`
      open = undefined
    } else {
      if (open) return `the mark ${one} stands inside the section ${open}`
      if (seen.has(name)) return `the mark ${one} stands twice`
      seen.add(name)
      open = name
    }
  }
  return open ? `the section ${open} has no closing mark` : undefined
}

function reparse(frontText: string, body: string): TaskFile {
  const parsed = parseTaskFile(`---\n${frontText}---\n${body}`)
  if (parsed.ok) return parsed.task
  throw new CountersignError('ERR_TASK_FILE_INVALID', `writing a task file: ${parsed.problem}`, {
    details: { rule: parsed.rule },
  })
}

/** Numbers become strings; undefined fields go. */
function asStrings(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asStrings)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, one]) => (one === undefined ? [] : [[key, asStrings(one)]])),
    )
  }
  return String(value)
}

function openMark(name: SectionName): string {
  return `<!-- countersign:${name} -->`
}

function closeMark(name: SectionName): string {
  return `<!-- countersign:/${name} -->`
}

function refuse(rule: string, problem: string): Extract<ParsedTask, { ok: false }> {
  return { ok: false, rule, problem }
}
