import type { Command } from 'commander'
import { CountersignError } from '#core/errors.ts'
import { folderOf } from '#core/vault-path.ts'
import { askAbout, isBeingGivenBack, readable, sayAnswer } from '../ask-sync.ts'
import { type Cli, example } from '../cli.ts'
import { EXIT } from '../exit-codes.ts'
import { type FoundTask, findTask } from '../tasks.ts'
import type { ZoneHome } from '../zone-home.ts'

type Verdict = { readonly held: boolean | null; readonly reason: string }

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<task>', 'an id, its last six characters, or a file name')
    .requiredOption('--generation <n>', 'the generation that the claim was made under')
    .option('--hub', 'ask the hub too, and not only this machine')
    .addHelpText(
      'after',
      '\n0 only while this agent holds the task under that generation; 4: it does not, so stop; 6: the hub cannot be asked now.',
    )
    .addHelpText('after', example('check-claimed 7h3k9q --generation 2', 'check-claimed 7h3k9q --generation 2 --hub'))
    .action(async (reference: string, options: { generation: string; hub?: boolean }) => {
      if (!/^\d{1,9}$/.test(options.generation))
        throw new CountersignError('ERR_USAGE', `--generation ${options.generation}: expected a number`)
      const generation = Number(options.generation)
      const home = await cli.home()
      const found = await findTask(home, reference)
      const here = await checkHere(found, generation, home)
      const verdict = here.held && options.hub ? await checkHub(found, generation, home, cli) : here
      cli.answer({ task: found.task?.front.id ?? null, generation, ...verdict }, verdict.reason)
      cli.setExitCode(verdict.held === null ? EXIT.waiting : verdict.held ? EXIT.ok : EXIT.refused)
    })
}

async function checkHere(found: FoundTask, generation: number, home: ZoneHome): Promise<Verdict> {
  const lost = (reason: string): Verdict => ({ held: false, reason })
  if (found.place.kind !== 'in-progress' || found.place.agent !== home.agent)
    return lost(`Not held: it stands in ${folderOf(found.place)}/.`)
  if (found.task?.front.generation !== generation)
    return lost(`Not held: it is claimed under generation ${found.task?.front.generation ?? '?'}.`)
  if (await isBeingGivenBack(home, found.task.front.id)) return lost('Not held: it is being given back.')
  return { held: true, reason: `Held by ${home.agent} under generation ${generation}.` }
}

async function checkHub(found: FoundTask, generation: number, home: ZoneHome, cli: Cli): Promise<Verdict> {
  const answer = await askAbout(home, cli.env, readable(found), { kind: 'look' })
  if (answer.kind !== 'seen') return { held: null, reason: sayAnswer(answer, home.agent).split('\n')[0] ?? '' }
  if (answer.place === `In_Progress/${home.agent}` && answer.generation === generation)
    return { held: true, reason: `Held by ${home.agent} under generation ${generation}; the hub says so too.` }
  const where = answer.place === null ? 'nowhere' : `in ${answer.place}/, generation ${answer.generation ?? '?'}`
  return { held: false, reason: `Not held: at the hub it stands ${where}.` }
}
