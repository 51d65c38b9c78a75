import { textFault } from './email-action.ts'
import { findSecrets } from './secret-rules.ts'
import { BODY_CONTROL } from './visible-text.ts'

/** What models put between letters without anybody seeing it: soft hyphens, zero-width blanks, byte order marks. */
const UNSEEN = /[\u00ad\u200b\u2060\ufeff]/gu
/** A mark of `core/prompt-fence.ts`, or of something that wants to look like one. */
const FENCE_MARK = /<<<|>>>/
/** What a template leaves open in single brackets. */
const OPEN_PLACE =
  /\[(?:your|my|our|the|insert|enter|fill|add|name|first name|last name|company|date|time|amount|price|number|phone|address|link|url|signature|todo|tbd|placeholder|ihr|ihre|name|datum|betrag|votre|nom|su|nombre|fecha)\b[^[\]\n]{0,60}\](?!\()/iu

/** A model's text as it may stand in a draft: plain line ends, nothing unseen, no blanks around it. */
export function cleanDraft(text: string): string {
  return text
    .normalize('NFC')
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(UNSEEN, '')
    .replace(/\u00a0/g, ' ')
    .replace(/(?<![ \t])[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

/** Why a model's text may not be handed in. Said to the model: it holds none of the text's words. */
export function draftFault(text: string, maxChars: number): string | undefined {
  if (text === '') return 'the text is empty'
  if (text.length > maxChars) return `the text has ${text.length} characters, and at most ${maxChars} are allowed`
  if (!text.isWellFormed() || BODY_CONTROL.test(text)) return 'the text contains control characters'
  if (FENCE_MARK.test(text)) return 'the text repeats the marks around quoted material'
  if (OPEN_PLACE.test(text)) return 'the text leaves a place to fill in'
  const fault = textFault(text)
  if (fault) return SAID[fault.rule] ?? 'the text contains what an editor would hide'
  if (findSecrets(text).some(({ kind }) => kind === 'block')) return 'the text contains what looks like a secret'
  return undefined
}

const SAID: Readonly<Record<string, string>> = {
  'placeholder-left': 'the text leaves a place to fill in',
  'draft-hidden-characters': 'the text contains invisible characters',
  'draft-hidden-text': 'the text contains HTML, a comment, a named link or other markup: it must be plain text',
}
