import { parseArgs } from 'node:util'
import { stopSignals } from '../demo/stop-signals.ts'
import { Interrupted } from '../demo/until.ts'
import { machine } from './machine.ts'
import type { Figures } from './sync/figures.ts'
import { openLab } from './sync/lab.ts'
import { measureAll } from './sync/measure-all.ts'
import { FULL, type Plan, QUICK } from './sync/plan.ts'
import { report } from './sync/report.ts'

// Measures how long a changed file takes from one clone's disk to the other's, through two real sync services, a hub
// with its gate and an sshd of its own, side by side with git's plumbing, a plain script and a peer; then what the
// service costs while nothing happens. Every mark is taken outside of what is measured.

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    files: { type: 'string' },
    commits: { type: 'string' },
    samples: { type: 'string' },
    only: { type: 'string' },
    minutes: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(`npm run bench:sync -- [--quick] [--files 1000,10000,100000] [--commits 100,10000] [--samples 30]
  [--only ${FULL.parts.join(',')}] [--minutes 25] [--json]

Needs Linux, git, an sshd and Redis 6.2 or newer (from the PATH, Docker, or the system's packages); strace counts
processes and lock files, and syncthing is fetched from the system's packages, each if it can be had. Prints tables in
Markdown; progress goes to stderr. Nothing new is begun after --minutes.`)
  process.exit(0)
}

const numbers = (list: string | undefined) => list?.split(',').map(Number)
const standard = values.quick ? QUICK : FULL
const plan: Plan = {
  ...standard,
  files: numbers(values.files) ?? standard.files,
  commits: numbers(values.commits) ?? standard.commits,
  samples: Number(values.samples ?? standard.samples),
  parts: (values.only?.split(',') as Plan['parts']) ?? standard.parts,
  deadline: performance.now() + Number(values.minutes ?? standard.minutes) * 60_000,
}

const figures: Figures = {
  ...{ versions: [], runs: [], starts: [], idle: [], traces: [], bursts: [], clones: [], notes: [] },
}
using stop = stopSignals()
try {
  await using lab = await openLab(stop.signal, (line) => console.error(line))
  await measureAll(lab, plan, figures)
} catch (error) {
  if (!(error instanceof Interrupted) && !stop.signal.aborted) throw error
  process.exitCode = stop.exitCode()
} finally {
  console.log(values.json ? JSON.stringify({ machine: machine(), ...figures }) : report(machine(), figures))
}
