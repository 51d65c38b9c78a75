import type { SecretKind, SecretRule } from './secret-rule.ts'
import { CREDENTIAL_RULES } from './secret-rules-credentials.ts'
import { MAIL_RULES } from './secret-rules-mail.ts'
import { TOKEN_RULES } from './secret-rules-tokens.ts'
import { type TextView, viewsOf } from './text-views.ts'

/** A secret found in a text, as a range of that text. */
export interface FoundSecret {
  readonly rule: string
  readonly kind: SecretKind
  readonly start: number
  readonly end: number
}

/** What stands in the place of a secret that was taken out, and nothing else. */
const MASKED = /^⟦masked:[a-z0-9-]{1,40}⟧[.,;:!?)\]]{0,3}$/

/** The pack: every rule has texts that it finds and texts that it leaves alone in tests/secrets/rule-fixtures.ts. */
export const SECRET_RULES: readonly SecretRule[] = [...TOKEN_RULES, ...CREDENTIAL_RULES, ...MAIL_RULES]

/** What looks like a secret in a text, in any of its readings. The ranges may overlap. */
export function findSecrets(text: string, rules: readonly SecretRule[] = SECRET_RULES): FoundSecret[] {
  return viewsOf(text).flatMap((view) => findInView(view, rules))
}

/** The same in one reading; the ranges are those of the original. */
export function findInView(view: TextView, rules: readonly SecretRule[] = SECRET_RULES): FoundSecret[] {
  const lower = view.text.toLowerCase()
  return rules
    .filter((rule) => rule.triggers.some((trigger) => lower.includes(trigger)))
    .flatMap((rule) =>
      rangesOf(rule, view.text).map(([from, to]) => {
        const [start, end] = view.locate(from, to)
        return { rule: rule.name, kind: rule.kind, start, end }
      }),
    )
}

function rangesOf({ pattern, accept }: SecretRule, text: string): (readonly [number, number])[] {
  return [...text.matchAll(pattern)]
    .filter((match) => accept?.(match, text) ?? true)
    .map((match) => match.indices?.groups?.secret ?? ([match.index, match.index + match[0].length] as const))
    .filter(([start, end]) => !MASKED.test(text.slice(start, end)))
}
