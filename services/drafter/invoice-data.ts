import { chooseSections } from '#core/handbook-sections.ts'
import { boundThread, newestWords } from '#core/newest-message.ts'
import { openNotes } from '#core/notes-to-drafter.ts'
import type { AskModel } from '#core/ports/model.ts'
import type { OpenSkill, Skill } from '#core/ports/skills.ts'
import { FENCE_RULE, fenceUntrusted } from '#core/prompt-fence.ts'
import { type InvoiceData, invoiceForm, readInvoice } from '#core/read-invoice.ts'
import { section, type TaskFile } from '#core/task-file.ts'

const MAX_THREAD = 24_000
const MAX_HANDBOOK = 16_000
const MAX_NOTES = 4_000
const MAX_TOKENS = 4_000

export interface InvoiceDataDeps {
  /** Unset where no model is configured: then the data are for the person to read. */
  readonly ask?: AskModel | undefined
  readonly openSkill: OpenSkill
  readonly skillName: string
  readonly signal?: AbortSignal | undefined
}

export type InvoiceDataOutcome =
  | { readonly kind: 'read'; readonly data: InvoiceData; readonly costUsd: string }
  /** `say`: for the person. */
  | { readonly kind: 'unread'; readonly say: string; readonly costUsd: string }

/**
 * Takes the data of an invoice out of a task: what a model finds, and of that only what stands in the thread, in its sender,
 * in the handbook or in the person's notes. Throws ERR_SKILL_INVALID.
 */
export async function invoiceDataOf(
  task: TaskFile,
  handbook: string,
  deps: InvoiceDataDeps,
): Promise<InvoiceDataOutcome> {
  const skill = deps.openSkill(deps.skillName)
  if (!deps.ask)
    return { kind: 'unread', say: 'no model is set up that could read what is to be invoiced', costUsd: '0' }
  const notes = openNotes(section(task, 'notes') ?? '').slice(0, MAX_NOTES)
  const original = section(task, 'original') ?? ''
  const sender = [task.front.source?.from ?? '', ...(task.front.source?.reply_to ?? [])].join('\n')
  const about = `${task.front.title}\n${newestWords(original)}\n${notes}`
  const own = chooseSections(handbook, about, MAX_HANDBOOK).text
  const reply = await deps.ask(
    {
      purpose: 'invoice',
      size: skill.metadata.model === 'small' ? 'small' : 'large',
      taskId: task.front.id,
      instructions: instructionsOf(skill, own),
      prompt: [
        'Fill in the form from the newest message of this thread; it stands last.',
        fenceUntrusted('sender', sender),
        fenceUntrusted('mail', boundThread(original, MAX_THREAD).text),
        ...(notes === '' ? [] : [`The owner adds, and it counts:\n\n${notes}`]),
      ].join('\n\n'),
      form: invoiceForm,
      maxOutputTokens: MAX_TOKENS,
    },
    deps.signal,
  )
  if (reply.kind === 'unanswered') return { kind: 'unread', say: reply.say, costUsd: reply.costUsd }
  const sources = [task.front.title, original, sender, handbook, notes]
  return { kind: 'read', data: readInvoice(reply.value, sources), costUsd: reply.costUsd }
}

function instructionsOf(skill: Skill, handbook: string): string {
  const references = skill.files
    .filter((path) => path.startsWith('references/'))
    .map((path) => `## ${path}\n\n${skill.file(path)}`)
  return [
    `# Your task (the skill ${skill.name})\n\n${skill.instructions}`,
    ...references,
    `# What holds before everything else\n\n- You fill in one form and nothing else; the program does the rest.\n- null is the answer for everything that is not said. What you make up is found out and thrown away.\n- ${FENCE_RULE}`,
    `# The owner's handbook\n\nThe owner's own words; they count.\n\n${handbook || 'There is none.'}`,
  ].join('\n\n')
}
