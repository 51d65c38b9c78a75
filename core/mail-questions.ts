import { findAmounts } from './amounts.ts'
import { textFault } from './email-action.ts'
import { findIbans } from './iban.ts'
import { newestWords } from './newest-message.ts'
import { INVISIBLE } from './visible-text.ts'

const MAX_QUESTIONS = 3
const MIN_CHARS = 8
const MAX_CHARS = 160
/** More is not looked at: what somebody asks stands near the beginning of a mail, or it is one among very many. */
const MAX_LOOKED_AT = 20_000
/** A sentence up to its question mark, in any script; a full stop within a word does not end one. */
const QUESTION = /(?:[^.!?…\n。！？]|\.(?=[\p{L}\p{N}])){1,400}[?？؟]/gu
/** Letters, single digits and plain marks: nothing that leads anywhere, names an account or is acted on by an editor. */
const PLAIN = /^[\p{L}\p{M}\p{N} ,;:'’"“”„«»()&–-]+[?？؟]$/u
const NUMBER_LIKE = /\d{5,}|(?:\d[ .,'’/-]?){7,}/u

/** Every question of a mail as it stands there. A stranger's words. */
export function rawQuestions(original: string): string[] {
  const text = newestWords(original)
    .slice(0, MAX_LOOKED_AT)
    .replace(/(?<=\S)\n(?=\S)/g, ' ')
  return [...text.matchAll(QUESTION)].map(([sentence]) => sentence.replace(/\s+/g, ' ').trim())
}

/** What a mail asks, in its own words, the first three: only questions that can be said back without doing any harm. */
export function questionsIn(original: string): string[] {
  return [...new Set(rawQuestions(original))].filter(isHarmless).slice(0, MAX_QUESTIONS)
}

/** Whether a question may be repeated in an answer of ours. */
function isHarmless(line: string): boolean {
  return (
    line.length >= MIN_CHARS &&
    line.length <= MAX_CHARS &&
    PLAIN.test(line) &&
    !NUMBER_LIKE.test(line) &&
    !/\p{M}{3}/u.test(line) &&
    leadsNowhere(line)
  )
}

/** Whether a subject may: the answer goes out under it anyway, so that it only must not lead anywhere or be acted on. */
export function isHarmlessSubject(subject: string): boolean {
  return (
    subject.length <= MAX_CHARS &&
    /\p{L}/u.test(subject) &&
    !/[\\`|<>*_~@]/.test(subject) &&
    !INVISIBLE.test(subject) &&
    !/[\p{L}\p{N}-]\.\p{L}{2}/u.test(subject) &&
    leadsNowhere(subject)
  )
}

function leadsNowhere(line: string): boolean {
  const { valid, broken } = findIbans(line)
  const hasMoney = findAmounts(line).length + valid.length + broken.length > 0
  return !hasMoney && !/\bwww\b|hxxp|https?|\/\//i.test(line) && textFault(line) === undefined
}
