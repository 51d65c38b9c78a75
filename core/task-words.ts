import type { FrontMatter } from './task-file.ts'

/** How the tools are called in a list; one that is not here goes by its own name. */
const TOOL_WORDS: Readonly<Record<string, string>> = {
  'email.send_email': 'e-mail',
  'social.create_post': 'post',
  'social.publish_post': 'post',
}
/** Which arguments of an action say to whom it goes, the likeliest first. */
const WHOM = ['to', 'payee', 'recipient', 'partner', 'network', 'networks', 'channel'] as const
const MAX_NAMED = 2

/**
 * What a task would do, in a few words for a list: `e-mail to ana@acme.example and 2 more`, `payment of 120.00 EUR to
 * ACME`. Made of the action alone, so that the file's prose cannot colour it; its words come from outside. Whether
 * the action can be carried out is not looked at.
 */
export function sayTask({ action }: Pick<FrontMatter, 'action'>): string {
  if (!action) return 'nothing to do in it'
  const what = Object.hasOwn(TOOL_WORDS, action.tool) ? TOOL_WORDS[action.tool] : nameOfTool(action.tool)
  const amount = textsOf(action.amount)[0]
  const currency = textsOf(action.currency)[0]
  return [what, ...(amount ? [`of ${[amount, currency].filter(Boolean).join(' ')}`] : []), ...whom(action)].join(' ')
}

function whom(action: Readonly<Record<string, unknown>>): string[] {
  const key = WHOM.find((one) => textsOf(action[one]).length > 0)
  if (key === undefined) return []
  const names = [...textsOf(action[key]), ...(key === 'to' ? [...textsOf(action.cc), ...textsOf(action.bcc)] : [])]
  const more = names.length - MAX_NAMED
  const named = names.slice(0, more === 1 ? names.length : MAX_NAMED)
  const rest = names.length - named.length
  return [key.startsWith('network') ? 'on' : 'to', `${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`]
}

/** `odoo.post_invoice` → `post invoice`. */
function nameOfTool(tool: string): string {
  return tool.slice(tool.lastIndexOf('.') + 1).replaceAll('_', ' ')
}

function textsOf(value: unknown): string[] {
  return [value].flat().filter((one): one is string => typeof one === 'string' && one !== '')
}
