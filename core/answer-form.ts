import { z } from 'zod'

/** A longer answer of a model is not looked at. */
const MAX_ANSWER_CHARS = 200_000

export type ReadAnswer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string }

/** What a model's answer has to be: the provider is given the JSON Schema, and what comes back is read strictly all the same. */
export interface AnswerForm<T> {
  /** Of letters and `_`. */
  readonly name: string
  readonly jsonSchema: Readonly<Record<string, unknown>>
  /** Never throws. `problem` names fields and rules, never the model's words: it goes into a second prompt, and into logs. */
  read(text: string): ReadAnswer<T>
}

export function answerForm<T>(name: string, schema: z.ZodType<T>): AnswerForm<T> {
  return {
    name,
    jsonSchema: z.toJSONSchema(schema, { target: 'draft-7' }) as Readonly<Record<string, unknown>>,
    read: (text) => readAnswer(text, schema),
  }
}

function readAnswer<T>(text: string, schema: z.ZodType<T>): ReadAnswer<T> {
  if (text.trim() === '') return { ok: false, problem: 'the answer is empty' }
  if (text.length > MAX_ANSWER_CHARS) return { ok: false, problem: 'the answer is too long' }
  let value: unknown
  try {
    value = JSON.parse(unfenced(text))
  } catch {
    return { ok: false, problem: 'the answer is not JSON' }
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return { ok: true, value: parsed.data }
  const issue = parsed.error.issues[0]
  return { ok: false, problem: `${issue?.path.join('.') || 'the answer'}: ${sayIssue(issue)}` }
}

/** Some models put JSON into a code block whatever they are told. */
function unfenced(text: string): string {
  const [first = '', ...rest] = text.trim().split('\n')
  const isBlock = /^```(?:json)?\s*$/.test(first) && rest.at(-1)?.trim() === '```'
  return isBlock ? rest.slice(0, -1).join('\n') : text
}

function sayIssue(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'unrecognized_keys') return 'it has keys that were not asked for'
  return issue?.message ?? 'it does not fit the schema'
}
