/** What tells one version of a file from the next without reading it. Equal identities: the same untouched file. */
export interface FileIdentity {
  readonly ino: string
  readonly size: number
  readonly mtimeNs: string
  readonly ctimeNs: string
}

/** False when either is unknown. */
export function sameIdentity(a: FileIdentity | null | undefined, b: FileIdentity | null | undefined): boolean {
  return !!a && !!b && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs
}
