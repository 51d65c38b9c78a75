import { createHash } from 'node:crypto'
import type { Violation } from './path-ownership.ts'
import type { ContentScan, Finding } from './ports/content-scan.ts'
import { parseVaultPath } from './vault-path.ts'

/** One path of a commit with its bytes; without `after` it was removed. */
export interface ScannedChange {
  readonly path: string
  readonly before?: Uint8Array | undefined
  readonly after?: Uint8Array | undefined
}

/** A ledger is read from here before its new part: what was begun in an earlier commit is completed in this one. */
const LEDGER_OVERLAP_BYTES = 8 * 1024
/** The end of a rule's name when it is the file's name that carries the secret. */
const IN_NAME = '-in-name'
/** All rules of the scan begin with one of these. */
const SCAN_RULE = /^(?:known-secret|secret|secretlint|scan)\./

/**
 * What may not leave this machine in these changes: every content that the commit brings anew, and the names under which
 * it does. Findings that are only to be masked keep nothing back.
 */
export async function scanChanges(changes: readonly ScannedChange[], scan: ContentScan): Promise<Violation[]> {
  const violations: Violation[] = []
  const isMoved = knownContents(changes)
  for (const { path, before, after } of changes) {
    if (after === undefined) continue
    const inName = await blocking(scan, path, Buffer.from(path))
    const inContent = isMoved(after) ? [] : await blocking(scan, path, newPart(path, before, after))
    // The name decides alone, so that whoever tells of it knows not to show it.
    const rules = inName.length > 0 ? inName.map((rule) => `${rule}${IN_NAME}`) : inContent
    violations.push(...rules.map((rule) => ({ path, rule })))
  }
  return violations
}

/** What may not stand in a commit's message. */
export async function scanMessage(message: string, scan: ContentScan): Promise<string[]> {
  return blocking(scan, 'message.txt', Buffer.from(message))
}

/** Whether a rule is one of the content scan's. */
export function isScanRule(rule: string): boolean {
  return SCAN_RULE.test(rule)
}

/** A path as it may be shown: without the name, when that is what carries the secret. */
export function shownPath({ path, rule }: Violation): string {
  return isScanRule(rule) && rule.endsWith(IN_NAME) ? `${path.slice(0, path.lastIndexOf('/') + 1)}...` : path
}

async function blocking(scan: ContentScan, path: string, bytes: Uint8Array): Promise<string[]> {
  const findings: readonly Finding[] = await scan.scan({ path, bytes })
  return findings.filter(({ kind }) => kind === 'block').map(({ rule }) => rule)
}

/** Whether the commit only moves these bytes: they stood in the vault before it. */
function knownContents(changes: readonly ScannedChange[]): (bytes: Uint8Array) => boolean {
  const known = new Set(changes.flatMap(({ before }) => (before ? [sha256(before)] : [])))
  return (bytes) => known.has(sha256(bytes))
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function newPart(path: string, before: Uint8Array | undefined, after: Uint8Array): Uint8Array {
  const verdict = parseVaultPath(path)
  if (!verdict.ok || verdict.place.kind !== 'log' || before === undefined) return after
  return after.subarray(Math.max(0, before.length - LEDGER_OVERLAP_BYTES))
}
