import { textFault } from '#core/email-action.ts'
import { fillTemplate } from '#core/fill-template.ts'
import { answersFor } from '#core/handbook-sections.ts'
import { isHarmlessSubject, questionsIn, rawQuestions } from '#core/mail-questions.ts'
import type { DraftRequest } from '#core/ports/drafting.ts'
import type { Skill } from '#core/ports/skills.ts'

const OTHERWISE = 'en'
/** A name that is one: letters and what stands between them. */
const PLAIN_NAME = /^\p{L}[\p{L}\p{M} .'’-]{0,60}$/u

/**
 * The skill's reply template in the mail's language, or in English: an honest first answer. A stranger's words stand in it
 * only where they can do no harm. Throws ERR_SKILL_INVALID when the skill has no template that can be used.
 */
export function templateReply(request: DraftRequest, language: string | undefined, skill: Skill): string {
  const own = language?.split('-')[0]?.toLowerCase()
  const names = [...(request.slot === undefined ? [] : ['invoice']), 'reply'].flatMap((name) => [
    `assets/${name}.${own}.md`,
    `assets/${name}.${OTHERWISE}.md`,
  ])
  const path = names.find((one) => skill.files.includes(one)) ?? `assets/reply.${OTHERWISE}.md`
  return fillTemplate(skill.file(path), valuesOf(request))
}

function valuesOf(request: DraftRequest): Record<string, string> {
  const { original, subject, senderName, handbook, signature } = request
  const asked = `${subject}\n${rawQuestions(original).join('\n')}`
  return {
    sender: PLAIN_NAME.test(senderName) ? senderName : '',
    subject: isHarmlessSubject(subject) ? subject : '',
    questions: questionsIn(original)
      .map((question) => `- ${question}`)
      .join('\n'),
    answers: answersFor(handbook, asked)
      .filter((answer) => textFault(answer) === undefined)
      .join('\n\n'),
    signature,
  }
}
