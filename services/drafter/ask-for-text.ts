import { DRAFT_ANSWER, type DraftAnswer } from '#core/draft-answer.ts'
import { cleanDraft } from '#core/draft-fault.ts'
import type { TaskId } from '#core/ids.ts'
import type { AskModel, ModelPurpose } from '#core/ports/model.ts'
import type { Skill } from '#core/ports/skills.ts'
import { oneLine } from '#core/quote.ts'
import { parseUsd, renderUsd } from '#core/spend.ts'

const MAX_NEEDS = 5
const MAX_READ = 3

/** Why a text cannot be used. `isBearable`: it is kept with `flag` when asking again did not help. */
export interface TextFault {
  readonly problem: string
  readonly flag?: string
}

export interface TextQuestion {
  readonly purpose: ModelPurpose
  readonly taskId: TaskId
  readonly skill: Skill
  readonly instructions: string
  readonly prompt: string
  readonly maxOutputTokens: number
  check(text: string): TextFault | undefined
}

export type TextOutcome =
  | {
      readonly kind: 'written'
      readonly text: string
      readonly model: string
      readonly costUsd: string
      /** What is missing, as the model says it: made inert. */
      readonly needs: readonly string[]
      readonly flags: readonly string[]
    }
  /** `say`: for the person. */
  | { readonly kind: 'failed'; readonly say: string; readonly costUsd: string; readonly isConfigured: boolean }

/**
 * Asks for a text, hands over the skill's files that the model wants to read (once), and asks once more when the text
 * breaks a rule: three questions at most. Throws ERR_SKILL_INVALID when a file of the skill cannot be had.
 */
export async function askForText(question: TextQuestion, ask: AskModel, signal?: AbortSignal): Promise<TextOutcome> {
  const { skill, check } = question
  let spent = 0n
  const answer = async (prompt: string) => {
    const { purpose, taskId, instructions, maxOutputTokens } = question
    const size = skill.metadata.model === 'small' ? 'small' : 'large'
    const reply = await ask(
      { purpose, size, taskId, instructions, prompt, form: DRAFT_ANSWER, maxOutputTokens },
      signal,
    )
    spent += parseUsd(reply.costUsd) ?? 0n
    return reply
  }
  let prompt = question.prompt
  let reply = await answer(prompt)
  const wanted = reply.kind === 'answered' ? readable(reply.value, skill) : []
  if (wanted.length > 0) {
    const files = wanted.map((path) => `## ${path}\n\n${skill.file(path)}`).join('\n\n')
    prompt = `${prompt}\n\n# Files of the skill that you asked for\n\n${files}\n\nNow write the text; \`read\` is empty.`
    reply = await answer(prompt)
  }
  let fault = reply.kind === 'answered' ? check(cleanDraft(reply.value.text)) : undefined
  if (fault) {
    const first = { reply, fault }
    reply = await answer(`${prompt}\n\nYour text could not be used: ${fault.problem}. Write it again, whole.`)
    fault = reply.kind === 'answered' ? check(cleanDraft(reply.value.text)) : undefined
    const isUsable = reply.kind === 'answered' && (!fault || fault.flag !== undefined)
    if (!isUsable && first.fault.flag !== undefined) ({ reply, fault } = first)
  }
  if (reply.kind === 'unanswered')
    return {
      kind: 'failed',
      say: reply.say,
      costUsd: renderUsd(spent),
      isConfigured: reply.reason !== 'not-configured',
    }
  if (fault && fault.flag === undefined)
    return {
      kind: 'failed',
      say: `what the model wrote could not be used: ${fault.problem}`,
      costUsd: renderUsd(spent),
      isConfigured: true,
    }
  const needs = reply.value.needs.slice(0, MAX_NEEDS).map((one) => oneLine(one, 100))
  return {
    ...{
      kind: 'written',
      text: cleanDraft(reply.value.text),
      model: reply.model.slice(0, 100),
      costUsd: renderUsd(spent),
    },
    ...{ needs: needs.filter((one) => one !== ''), flags: fault?.flag === undefined ? [] : [fault.flag] },
  }
}

/** Of the files that it asks for, those there are. */
function readable({ read }: DraftAnswer, skill: Skill): string[] {
  return [...new Set(read)].filter((path) => skill.files.includes(path)).slice(0, MAX_READ)
}
