import { registerHooks } from 'node:module'
import { parseArgs } from 'node:util'
import { MUTANTS } from './mutants.ts'

// Tells the story of one schedule, or looks for the first that goes wrong:
//   node tests/support/schedule/replay.ts --seed 17
//   node tests/support/schedule/replay.ts --seed 1 --count 500 --mutant 3
const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, count: { type: 'string' }, mutant: { type: 'string' } },
})
const mutant = MUTANTS[Number(values.mutant ?? Number.NaN)]
if (mutant)
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      if (!url.endsWith(`/${mutant.file}`)) return loaded
      return { ...loaded, source: String(loaded.source).replace(mutant.from, mutant.to) }
    },
  })

// Only now: what is loaded from here on is changed.
const { runSchedule } = await import('./schedule.ts')
const first = Number(values.seed)
const print = (lines: readonly string[]) => process.stdout.write(`${lines.join('\n')}\n`)
if (values.count === undefined) {
  const { trace, violations } = await runSchedule(first, true)
  print([...trace, ...violations.map((one) => `WRONG: ${one}`)])
} else {
  for (let seed = first; seed < first + Number(values.count); seed++) {
    const { violations } = await runSchedule(seed)
    if (violations.length === 0) continue
    print([`seed ${seed}: ${violations[0]}`])
    process.exitCode = 1
    break
  }
}
