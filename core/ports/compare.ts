/** A stretch of a line: in both texts, only in the earlier one, or only in the later one. */
export interface ComparedPart {
  readonly kind: 'same' | 'removed' | 'added'
  readonly text: string
}

/** A line of a comparison, without its line break. `changed`: it stands in both texts, with other words. */
export interface ComparedLine {
  readonly kind: 'same' | 'removed' | 'added' | 'changed'
  readonly parts: readonly ComparedPart[]
}

/** The lines of both texts in order. Its cost is bounded: texts that have too little in common are one removed, one added. */
export type CompareTexts = (before: string, after: string) => ComparedLine[]
