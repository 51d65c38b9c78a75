/** One thing that was looked at, in words for the person. */
export interface Finding {
  readonly check: string
  /**
   * `repaired`: something was wrong and is not any more. `failed`: it still is. `skipped`: it could not be looked at,
   * because something before it is missing.
   */
  readonly result: 'ok' | 'repaired' | 'failed' | 'skipped'
  readonly found: string
  /** What the person should do next. */
  readonly hint?: string
}
