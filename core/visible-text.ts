import { z } from 'zod'

/** Control, bidirectional, zero-width and tag characters, and halves of characters: what a person would not see must not be sent. */
export const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0\u2800]/u
/** In a text of several lines, tab and line feed are fine. */
export const BODY_CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/

/** One line of at most `max` characters, all of which can be seen. */
export function visibleLine(max: number) {
  return z
    .string()
    .min(1)
    .max(max)
    .refine((text) => !INVISIBLE.test(text), 'contains invisible or control characters')
}

/** `U+202E`. */
export function codePointOf(text: string): string {
  return `U+${text.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`
}
