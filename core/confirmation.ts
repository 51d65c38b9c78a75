import { createHash, timingSafeEqual } from 'node:crypto'
import { domainDigest } from './canonical-json.ts'
import { isHigh, type Risk } from './risk.ts'
import { section, type TaskFile, withSection } from './task-file.ts'

/** Letters and digits that cannot be taken for one another. */
const SIGNS = 'ACDEFHJKMNPRTWXY3479'
const LENGTH = 5
const MAX_TYPED_CHARS = 100
/** The line of the decision section in which the code is typed; its label is part of what was shown. */
export const CODE_LABEL = 'Code:'
const CODE_LINE = /^Code:(?<typed>.*)$/m

/**
 * The code of one card: short, to be typed from what is shown. It is no secret; it makes sure that a hand wrote what an
 * eye has read. Another card, even of the same action, has another one. `at`: when it was presented, ms.
 */
export function confirmationCode(presented: { readonly digest: string; readonly at: number }): string {
  const digest = domainDigest('countersign/code/v1', { digest: presented.digest, at: presented.at })
  let value = BigInt(`0x${digest.slice(digest.indexOf(':') + 1)}`)
  let code = ''
  for (let place = 0; place < LENGTH; place++) {
    code += SIGNS[Number(value % BigInt(SIGNS.length))]
    value /= BigInt(SIGNS.length)
  }
  return code
}

/** Whether the file's card asks for a code. */
export function asksForCode(task: TaskFile): boolean {
  return CODE_LINE.test(section(task, 'decision') ?? '')
}

/** What stands after `Code:` in the decision section; undefined when there is no such line or nothing on it. */
export function typedCode(task: TaskFile): string | undefined {
  const typed = CODE_LINE.exec(section(task, 'decision') ?? '')?.groups?.typed ?? ''
  return signsOf(typed) === '' ? undefined : typed.slice(0, MAX_TYPED_CHARS)
}

/** The same file with the code typed into it; undefined when its card asks for none. */
export function withTypedCode(task: TaskFile, code: string): TaskFile | undefined {
  const decision = section(task, 'decision')
  if (decision === undefined || !asksForCode(task)) return undefined
  return withSection(task, 'decision', decision.replace(CODE_LINE, `${CODE_LABEL} ${signsOf(code)}`))
}

/** Whether all of a code may have been typed, right or wrong: a shorter one is still being typed. */
export function isWholeCode(typed: string): boolean {
  return [...signsOf(typed)].length >= LENGTH
}

/** Why an action may not be done on this approval: it is high-risk, and the code of its card was not typed, or wrongly. */
export function codeFault(
  task: TaskFile,
  risks: readonly Risk[],
  presented: { readonly digest: string; readonly at: number },
): { readonly rule: 'code-missing' | 'code-wrong'; readonly say: string } | undefined {
  const [worst] = risks.filter(isHigh)
  if (!worst) return undefined
  const typed = typedCode(task)
  if (typed !== undefined && isRightCode(typed, confirmationCode(presented))) return undefined
  const why = `it is high-risk (${worst.say})`
  if (!asksForCode(task))
    return {
      rule: 'code-missing',
      say: `Since its card was made ${why}. Type the code of this card, then approve again.`,
    }
  return typed === undefined
    ? { rule: 'code-missing', say: `The code of the card was not typed, and ${why}. This card has a new one.` }
    : {
        rule: 'code-wrong',
        say: `The code that was typed is not that of the card, and ${why}. This card has a new one.`,
      }
}

/** Whether the right code was typed; blanks, hyphens, capitals and emphasis do not matter. Takes equally long either way. */
export function isRightCode(typed: string, code: string): boolean {
  return timingSafeEqual(hashOf(signsOf(typed)), hashOf(signsOf(code)))
}

function signsOf(text: string): string {
  return text
    .slice(0, MAX_TYPED_CHARS)
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
