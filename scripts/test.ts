import { spawn, spawnSync } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'

const HELP = `usage: npm test [-- --without-docker]
Runs types, lint, unit, integration and end-to-end tests, and stops at the first that fails.
  --without-docker  leaves out what needs Docker (integration, e2e) and says so
COUNTERSIGN_TEST_SETUP: a shell command that prepares the machine for what needs Docker; it runs beside the stages before that.`

interface Stage {
  readonly name: string
  readonly command: readonly [string, ...string[]]
  readonly needsDocker: boolean
}

const STAGES: readonly Stage[] = [
  { name: 'types', command: ['tsc', '--noEmit'], needsDocker: false },
  { name: 'lint', command: ['biome', 'check', '.'], needsDocker: false },
  { name: 'unit', command: ['vitest', 'run', '--project', 'unit'], needsDocker: false },
  // Needs no Docker by itself, and is needed by what does.
  { name: 'test tools', command: ['node', 'scripts/test-tools.ts'], needsDocker: true },
  { name: 'integration', command: ['vitest', 'run', '--project', 'integration'], needsDocker: true },
  { name: 'e2e', command: ['vitest', 'run', '--project', 'e2e'], needsDocker: true },
]
const NO_DOCKER = `Docker does not answer (docker info). The integration and end-to-end tests start real servers in containers.
Install Docker with compose v2 (https://docs.docker.com/engine/install/), start it and see that this user may use it;
or run \`npm test -- --without-docker\`, which leaves those tests out.`

const root = dirname(import.meta.dirname)
const env = {
  ...process.env,
  // Tests start many processes of the same sources; what was compiled once need not be again.
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'node'),
  PATH: [dirname(process.execPath), join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter),
}

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.filter((arg) => arg !== '--without-docker')
  if (unknown.length > 0) {
    console.log(HELP)
    return unknown.includes('--help') ? 0 : 2
  }
  const withoutDocker = args.includes('--without-docker')
  const setup = withoutDocker ? async () => true : beginSetup(process.env.COUNTERSIGN_TEST_SETUP)
  const summary: string[] = []
  let passed = 0
  let failed = 0
  for (const [index, stage] of STAGES.entries()) {
    if (failed > 0) {
      summary.push(line(stage.name, 'not run'))
      continue
    }
    if (withoutDocker && stage.needsDocker) {
      summary.push(line(stage.name, 'left out (--without-docker)'))
      continue
    }
    console.log(`\n== ${index + 1}/${STAGES.length} ${stage.name}: ${stage.command.join(' ')}`)
    const startedAt = performance.now()
    const ok = (!stage.needsDocker || ((await setup()) && dockerAnswers())) && (await run(stage.command))
    ok ? passed++ : failed++
    summary.push(line(stage.name, ok ? 'passed' : 'FAILED', performance.now() - startedAt))
  }
  console.log(`\n${summary.join('\n')}\n${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

function line(name: string, outcome: string, ms?: number): string {
  return `${name.padEnd(12)} ${outcome.padEnd(7)}${ms === undefined ? '' : ` ${(ms / 1000).toFixed(1)} s`}`
}

/** Begins it, if there is one; what it gives waits for its end, says what it said, and whether it went well. */
function beginSetup(command: string | undefined): () => Promise<boolean> {
  if (!command) return async () => true
  const child = spawn('sh', ['-c', `exec 2>&1; ${command}`], { stdio: ['ignore', 'pipe', 'inherit'], cwd: root })
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk))
  process.once('exit', () => child.kill())
  const ended = new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false))
    child.once('close', (code) => resolve(code === 0))
  })
  return async () => {
    const ok = await ended
    process.stdout.write(Buffer.concat(said.splice(0)))
    if (!ok) console.error(`failed: ${command}`)
    return ok
  }
}

function dockerAnswers(): boolean {
  if (spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 20_000 }).status === 0) return true
  console.error(NO_DOCKER)
  return false
}

/** Signals reach the running stage; the stages after it are then not run. */
function run([file, ...parameters]: readonly [string, ...string[]]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(file, parameters, { stdio: 'inherit', cwd: root, env })
    const stop = (signal: NodeJS.Signals) => void child.kill(signal)
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    for (const signal of signals) process.on(signal, stop)
    const end = (ok: boolean) => {
      for (const signal of signals) process.off(signal, stop)
      resolve(ok)
    }
    child.once('error', (error) => {
      console.error(`cannot run ${file}: ${error.message}`)
      end(false)
    })
    child.once('exit', (code) => end(code === 0))
  })
}
