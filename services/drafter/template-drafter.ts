import type { DraftRequest, DraftResult, WriteDraft } from '#core/ports/drafting.ts'

/** Fills the skill's reply template. What it made says so: `model: template`, cost 0. */
export function templateDrafter(skill: { readonly name: string; asset(file: string): string }): WriteDraft {
  return (request) => Promise.resolve(fillTemplate(skill.name, skill.asset('reply.md'), request))
}

function fillTemplate(skillName: string, template: string, request: DraftRequest): DraftResult {
  const values: Record<string, string> = {
    greeting: request.senderName ? `Dear ${request.senderName},` : 'Hello,',
    subject: request.subject,
    signature: request.signature,
  }
  // One pass over the template: a value that looks like a placeholder stays text.
  const text = template.replace(/\{\{(\w+)\}\}/g, (whole, key: string) => values[key] ?? whole)
  return { text: text.trim(), by: skillName, model: 'template', costUsd: '0' }
}
