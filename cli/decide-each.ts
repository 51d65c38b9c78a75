import { CountersignError } from '#core/errors.ts'
import type { Cli } from './cli.ts'
import { EXIT, exitCodeOf } from './exit-codes.ts'
import { terminalText } from './table.ts'
import { type FoundTask, listTasks, pickTask } from './tasks.ts'
import type { ZoneHome } from './zone-home.ts'

/** What came of one decision: the answer with --json, and a line for a person. */
export interface Decided {
  readonly task: string | null
  readonly path: string
  readonly say: string
}

type Result =
  | ({ readonly reference: string; readonly ok: true } & Omit<Decided, 'say'>)
  | {
      readonly reference: string
      readonly ok: false
      readonly error: { readonly code: string; readonly message: string; readonly hint: string }
    }

/**
 * Decides on each named task by itself and tells each by itself: one that cannot be decided on keeps no other back. One
 * task alone answers as itself and throws its error; several answer with a list, and an exit code that is 0 only when
 * all went well. `last` ends the text of what went well.
 */
export async function decideEach(
  references: readonly string[],
  cli: Cli,
  decide: (found: FoundTask, home: ZoneHome) => Promise<Decided>,
  last: (references: readonly string[]) => string = () => '',
): Promise<void> {
  const home = await cli.home()
  const tasks = await listTasks(home, { withDone: true })
  const decideOne = (reference: string) => decide(pickTask(tasks, reference, home), home)
  const [only = ''] = references
  if (references.length === 1) {
    const { say, ...decided } = await decideOne(only)
    return cli.answer(decided, [say, last(references)].filter(Boolean).join('\n'))
  }
  const results: Result[] = []
  const lines: string[] = []
  const codes = new Set<number>()
  for (const reference of references) {
    try {
      const { say, ...decided } = await decideOne(reference)
      results.push({ reference, ok: true, ...decided })
      lines.push(say)
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error
      const { code, message, hint } = error
      results.push({ reference, ok: false, error: { code, message, hint } })
      lines.push(terminalText(`${reference}: ${code}: ${message}`, 300))
      codes.add(exitCodeOf(error))
    }
  }
  const decided = results.flatMap((one) => (one.ok ? [one.reference] : []))
  cli.answer({ results }, [...lines, ...(decided.length > 0 ? [last(decided)] : [])].filter(Boolean).join('\n'))
  // Of several kinds of failure, none stands for all.
  if (codes.size > 0) cli.setExitCode(codes.size === 1 ? ([...codes][0] ?? EXIT.failed) : EXIT.failed)
}
