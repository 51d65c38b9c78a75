import { parseVaultPath, ROOT_NOTES, type VaultPath, withoutConflictMark } from './vault-path.ts'

/** What the name of a conflict copy tells of the version it holds. */
export interface ConflictMark {
  /** Who wrote it. */
  readonly agent: string
  /** When, by the writer's clock; ISO 8601 UTC. */
  readonly at: string
  /** The mark as it stands in the name: agent, time and the beginning of the blob's id. */
  readonly text: string
}

const MARK = /\.conflict-(([a-z][a-z0-9-]{0,30})-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{8})\.md$/

/** Undefined for a copy whose name somebody made up: it tells nothing. */
export function readConflictMark(path: string): ConflictMark | undefined {
  const match = MARK.exec(path)
  if (!match) return undefined
  const [, text = '', agent = '', year, month, day, hour, minute, second] = match
  return { agent, at: `${year}-${month}-${day}T${hour}:${minute}:${second}Z`, text }
}

/**
 * Where the file may stand that a copy lost against, the likeliest first. Tasks wander: of those, ask for the name. A
 * note at the root has its copies in Plans/.
 */
export function rivalPaths(copy: VaultPath): VaultPath[] {
  const plain = withoutConflictMark(copy)
  const verdict = parseVaultPath(plain)
  const beside = verdict.ok ? [verdict.path] : []
  const note = ROOT_NOTES.find((name) => plain === `Plans/${name}`)
  return note ? [...beside, note as string as VaultPath] : beside
}
