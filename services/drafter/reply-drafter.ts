import { draftFault } from '#core/draft-fault.ts'
import { newestWords } from '#core/newest-message.ts'
import type { DraftRequest, DraftResult, WriteDraft } from '#core/ports/drafting.ts'
import type { AskModel } from '#core/ports/model.ts'
import type { OpenSkill, Skill } from '#core/ports/skills.ts'
import { oneLine } from '#core/quote.ts'
import { askForText, type TextFault, type TextOutcome } from './ask-for-text.ts'
import { CannotDraft } from './give-back.ts'
import { replyPrompt } from './reply-prompt.ts'
import { templateReply } from './template-reply.ts'

/** Longer answers are nobody's. */
const MAX_REPLY_CHARS = 12_000
const MAX_REPLY_TOKENS = 4_000
const MAX_REMARK = 400
const NO_MODEL =
  'without a model nobody here can write a mail from a note: write it yourself, or set one up (docs/model.md)'

export interface ReplyDrafterDeps {
  readonly openSkill: OpenSkill
  readonly skillName: string
  readonly ownerName: string
  /** Unset where no model is configured: then the template is what is wanted, and no remark is made of it. */
  readonly ask?: AskModel | undefined
  /** BCP 47; undefined when it cannot be told. */
  recognizeLanguage(text: string): string | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Writes replies: with the model where there is one, else, and where it does not answer or answers what cannot be used,
 * with the skill's template. Throws ERR_SKILL_INVALID when not even that can be had.
 */
export function replyDrafter(deps: ReplyDrafterDeps): WriteDraft {
  return async (request) => {
    const skill = deps.openSkill(deps.skillName)
    const language = request.language ?? deps.recognizeLanguage(newestWords(request.original))
    const asked = deps.ask && (await askModel({ ...request, language }, skill, deps.ask, deps))
    if (asked?.kind === 'written') return asked.result
    // A template thanks for a message: there was none.
    if (request.isOwnNote) throw new CannotDraft(asked?.say ?? NO_MODEL)
    return fromTemplate(request, language, skill, asked)
  }
}

type Asked = { readonly kind: 'written'; readonly result: DraftResult } | Extract<TextOutcome, { kind: 'failed' }>

async function askModel(request: DraftRequest, skill: Skill, ask: AskModel, deps: ReplyDrafterDeps): Promise<Asked> {
  const { instructions, prompt, leftOut } = replyPrompt(request, skill, deps.ownerName)
  const check = (text: string): TextFault | undefined => {
    const judged = request.slot === undefined ? text : text.replaceAll(request.slot, '0')
    const problem = draftFault(judged, MAX_REPLY_CHARS)
    return problem === undefined ? languageFault(text, request.language, deps) : { problem }
  }
  const maxOutputTokens = MAX_REPLY_TOKENS
  const question = {
    purpose: 'reply',
    taskId: request.taskId,
    skill,
    instructions,
    prompt,
    maxOutputTokens,
    check,
  } as const
  const outcome = await askForText(question, ask, deps.signal)
  if (outcome.kind === 'failed') return outcome
  const { text, model, costUsd, needs, flags } = outcome
  const remarks = [
    ...(needs.length > 0 ? [`still missing: ${needs.join('; ')}`] : []),
    ...(leftOut.length > 0 ? [`the model was not shown ${leftOut.join(' and ')}`] : []),
  ]
  const result = {
    text,
    by: skill.name,
    model,
    costUsd,
    flags: [...flags, ...(needs.length > 0 ? ['facts-missing'] : [])],
  }
  return { kind: 'written', result: { ...result, ...remarked(remarks) } }
}

function languageFault(text: string, wanted: string | undefined, deps: ReplyDrafterDeps): TextFault | undefined {
  const written = deps.recognizeLanguage(text)
  if (wanted === undefined || written === undefined || isSame(written, wanted)) return undefined
  return { problem: `it must be in the language “${primary(wanted)}”`, flag: 'draft-language-differs' }
}

function fromTemplate(
  request: DraftRequest,
  language: string | undefined,
  skill: Skill,
  failed: Extract<TextOutcome, { kind: 'failed' }> | undefined,
): DraftResult {
  const remarks = [
    ...(failed?.isConfigured ? [`${failed.say}; this is the template`] : []),
    ...(request.notes === '' ? [] : ['your notes could not be followed: a template changes nothing']),
  ]
  return {
    text: templateReply(request, language, skill),
    ...{ by: skill.name, model: 'template', costUsd: failed?.costUsd ?? '0' },
    ...remarked(remarks),
  }
}

function remarked(remarks: readonly string[]): { remark?: string } {
  return remarks.length > 0 ? { remark: oneLine(remarks.join('. '), MAX_REMARK) } : {}
}

/** Danish and Norwegian are told apart by a few words: too little to call a draft wrong. */
function isSame(one: string, other: string): boolean {
  const family = (language: string) => (['da', 'nb', 'nn', 'no'].includes(primary(language)) ? 'nb' : primary(language))
  return family(one) === family(other)
}

function primary(language: string): string {
  return language.split('-')[0]?.toLowerCase() ?? ''
}
