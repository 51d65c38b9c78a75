/**
 * `block`: what carries it does not leave this machine. `mask`: mail is full of it and it is short-lived, so it is taken
 * out where mail comes in; it keeps nothing back.
 */
export type SecretKind = 'block' | 'mask'

export interface SecretRule {
  readonly name: string
  readonly kind: SecretKind
  /** Lower case; a text that contains none of them is not looked at any further. */
  readonly triggers: readonly string[]
  /** Global, with indices. The group `secret`, where there is one, is what has to go; else the whole match. */
  readonly pattern: RegExp
  /** The last word on a match; `text` is the whole view. */
  readonly accept?: (match: RegExpExecArray, text: string) => boolean
}

/** At least so many different characters: a row of x, of zeros or of dots holds the place of a value. */
export function varies(value: string, atLeast: number): boolean {
  return new Set(value).size >= atLeast
}
