import { z } from 'zod'
import { type AnswerForm, answerForm } from './answer-form.ts'

/** What a drafting model answers. It names no recipient, subject, attachment or account: those are not its to choose. */
const draftAnswer = z.strictObject({
  text: z.string().max(70_000).describe('The whole draft, plain text. Empty only where `read` names files.'),
  language: z.string().max(35).describe('The language of the text, such as en or de'),
  needs: z
    .array(z.string().max(300))
    .max(20)
    .default([])
    .describe('Facts that are missing for a complete answer, a few words each'),
  read: z.array(z.string().max(120)).max(20).default([]).describe('Files of the skill to be read first'),
})
export type DraftAnswer = z.output<typeof draftAnswer>
export const DRAFT_ANSWER: AnswerForm<DraftAnswer> = answerForm('draft', draftAnswer)
