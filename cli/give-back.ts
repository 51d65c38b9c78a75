import { CountersignError } from '#core/errors.ts'
import type { HandOver } from '#core/hand-over.ts'
import { askAbout, exitCodeOfAnswer, readable, sayAnswer, withdrawClaims } from './ask-sync.ts'
import type { Cli } from './cli.ts'
import { findTask } from './tasks.ts'

/** `release`, and with `keptFor` `task transfer`: what nobody holds is only kept for that agent. */
export async function giveBack(
  reference: string,
  keptFor: string | undefined,
  cli: Cli,
  { domain: wanted, why }: Pick<HandOver, 'domain' | 'why'> = {},
): Promise<void> {
  const home = await cli.home()
  const found = readable(await findTask(home, reference))
  const { id: task, generation, domain } = found.task.front
  const withdrawn = await withdrawClaims(home, task)
  const holder = found.place.kind === 'in-progress' ? found.place.agent : null
  const isHandOver = keptFor !== undefined || wanted !== undefined
  if (holder === null && !isHandOver && withdrawn > 0) {
    cli.answer({ task, outcome: 'withdrawn' }, 'The claim that had not been made yet is taken back.')
    return
  }
  const mayBe = holder !== null || (isHandOver && found.place.kind === 'needs-action')
  if (!mayBe) throw new CountersignError('ERR_TASK_STATE', `giving back ${found.path}: nobody works on it`)
  const question = {
    ...({ kind: 'give-back', holder, generation } as const),
    ...{ ...(keptFor !== undefined && { keptFor }), ...(wanted && { domain: wanted }), ...(why && { why }) },
  }
  const answer = await askAbout(home, cli.env, found, question)
  const { kind: outcome, ...more } = answer
  const where = keptFor === undefined ? '' : `, for ${keptFor}`
  const text =
    answer.kind === 'landed' ? `It stands in Needs_Action/${wanted ?? domain}/${where}.` : sayAnswer(answer, home.agent)
  cli.answer({ task, outcome, ...more, ...(keptFor !== undefined && { for: keptFor }) }, text)
  cli.setExitCode(exitCodeOfAnswer(answer))
}
