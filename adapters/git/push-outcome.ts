import type { PushOutcome } from '#core/ports/repo.ts'
import { DISK_WORDS } from './run-git.ts'

const MAX_REASON_CHARS = 2_000
/** The hub's hook begins each of its lines with this; git shows them after `remote: `. */
const HOOK_LINE = /^remote: (countersign: .*?)\s*$/
/** The ref moved between reading and writing it. Anything else a hub answers is its refusal. */
const RACED =
  /stale info|fetch first|non-fast-forward|needs force|cannot lock ref|incorrect old value|failed to update ref|reference already exists/

/** What its git says of a disk that is full or read-only. */
const UNSTORED = new RegExp(
  `^(?:remote: (?!countersign: ).*${DISK_WORDS}|error: remote unpack failed: unable to create temporary object directory)`,
  'm',
)

/**
 * What `git push --porcelain` of one ref says. Only the flag of the ref's own line counts: exit code 0 also means "was
 * there already" (`=`), which two agents could both take for a win, and a dropped connection leaves everything open.
 */
export function readPushOutcome(stdout: string, stderr: string): PushOutcome {
  const lines = stdout.split('\n').map((line) => /^(.)\t[^\t]*:refs\/heads\/main\t(.*)$/.exec(line))
  const [, flag, summary = ''] = lines.find((line) => line !== null) ?? []
  const hookLines = stderr.split('\n').flatMap((line) => HOOK_LINE.exec(line)?.[1] ?? [])
  const reason = (hookLines.join('\n') || summary || stderr.trim() || 'no answer').slice(0, MAX_REASON_CHARS)
  if (flag === ' ' || flag === '*') return { kind: 'landed' }
  if (flag === '=') return { kind: 'unknown', reason: `the hub had this commit already: ${summary}` }
  // `[remote failure]`: sent, but no report came back; it may have landed.
  if (flag !== '!' || summary.startsWith('[remote failure]')) return { kind: 'unknown', reason }
  const unstored = UNSTORED.exec(stderr)
  if (unstored)
    return { kind: 'rejected', cause: 'unstored', reason: `the hub's disk: ${lineAt(stderr, unstored.index)}` }
  return { kind: 'rejected', cause: RACED.test(summary) ? 'raced' : 'refused', reason }
}

function lineAt(text: string, start: number): string {
  return (text.slice(start).split('\n')[0] ?? '').trim().slice(0, MAX_REASON_CHARS)
}
