import type { SecretKind } from '../secret-rule.ts'

/** What a scan found: the name of the rule, never the secret or a place in the text. */
export interface Finding {
  readonly rule: string
  readonly kind: SecretKind
}

/**
 * Looks into what would be synchronised. It never throws for what it was given: what it could not look into (too
 * large, too slow, a fault of its own) is a finding.
 */
export interface ContentScan {
  /** `path` is for rules that depend on the kind of file; names are contents of their own to the caller. */
  scan(content: { readonly path: string; readonly bytes: Uint8Array }): Promise<readonly Finding[]>
}
