// Runs `demo`, `start`, `test` or a benchmark in a fresh clone on any Node ≥ 20: installs what the lock file asks for,
// then hands over to the Node that runs TypeScript. Plain JavaScript without dependencies, because nothing is there yet.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { faultsOfFolder } from './lock-policy.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const stamp = join(modules, '.countersign-lock')
const pinnedNode = join(modules, '.bin', 'node')
const COMMANDS = {
  demo: [join(root, 'cli', 'main.ts'), 'demo'],
  start: [join(root, 'cli', 'main.ts'), 'start'],
  test: [join(root, 'scripts', 'test.ts')],
  generate: [join(root, 'scripts', 'generate.ts')],
  release: [join(root, 'scripts', 'release.ts')],
  'bench:story': [join(root, 'bench', 'story.ts')],
  'bench:sync': [join(root, 'bench', 'sync.ts')],
  'bench:claims': [join(root, 'bench', 'claims.ts')],
  'bench:drafting': [join(root, 'bench', 'drafting.ts')],
  'bench:scale': [join(root, 'bench', 'scale.ts')],
  'bench:faults': [join(root, 'bench', 'faults.ts')],
  'bench:pictures': [join(root, 'bench', 'pictures.ts')],
  'bench:execution': [join(root, 'bench', 'execution.ts')],
}
/**
 * Exactly what the lock file says. The pinned Node is an optional package, as it differs by platform; a user's settings may
 * neither leave it out nor let a package run a script.
 */
const NPM_CI = 'ci --include=dev --include=optional --ignore-scripts --no-audit --no-fund --loglevel=error'.split(' ')
/** npm passes a terminal's Ctrl-C on although the terminal sent it to every process already: twice is once. */
const SAME_SIGNAL_MS = 1_000

const [verb = '', ...args] = process.argv.slice(2)
const command = COMMANDS[verb]
if (!command) stop(2, `usage: node scripts/bootstrap.mjs <${Object.keys(COMMANDS).join('|')}> [arguments]`)
if (Number(process.versions.node.split('.')[0]) < 20) stop(1, `needs Node 20 or newer, this is ${process.version}`)

await install()
const node = nodeThatRunsTypeScript()
process.exitCode = await run(node, [...command, ...args], withPath(dirname(node)))

async function install() {
  const lockHash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (!isInstalled(lockHash)) {
    const faults = faultsOfFolder(root)
    if (faults.length > 0) stop(1, `package-lock.json asks for what is not installed here:\n${faults.join('\n')}`)
    say('installing the dependencies of package-lock.json (npm ci) …')
    const startedAt = Date.now()
    const seconds = () => Math.round((Date.now() - startedAt) / 1000)
    const waiting = setInterval(() => say(`still installing (${seconds()} s)`), 10_000)
    // Not the Node inside node_modules: npm is about to remove it.
    const code = await run('npm', NPM_CI, withPath())
    clearInterval(waiting)
    if (code !== 0) {
      stop(code, 'npm failed (see above). Check the network or the npm registry settings, then run the same again.')
    }
    say(`installed in ${seconds()} s`)
  }
  writeFileSync(stamp, lockHash)
  linkPinnedNode()
}

/** npm 10 leaves the link out where another platform's package has one of the same name; npm's scripts look for it there. */
function linkPinnedNode() {
  const own = join('..', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  if (existsSync(pinnedNode) || !existsSync(join(modules, '.bin', own))) return
  // It may be one that leads nowhere.
  rmSync(pinnedNode, { force: true })
  symlinkSync(own, pinnedNode)
}

/** Somebody may have run npm by hand: npm writes its own mark last, so a newer one means a complete installation. */
function isInstalled(lockHash) {
  if (existsSync(stamp)) return readFileSync(stamp, 'utf8') === lockHash
  const mark = join(modules, '.package-lock.json')
  return existsSync(mark) && statSync(mark).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs
}

function nodeThatRunsTypeScript() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 24 || (major === 24 && minor >= 12)) return process.execPath
  if (spawnSync(pinnedNode, ['--version']).status === 0) return pinnedNode
  return stop(
    1,
    `needs Node 24.12 or newer; this is ${process.version}, and npm has put none at ${pinnedNode}.
It brings one for Linux on x64 and arm64 (this is ${process.platform} on ${process.arch}): install Node 24 from https://nodejs.org and run this again.`,
  )
}

/** The environment with `first` at the head of PATH and nothing else of node_modules on it before that. */
function withPath(first) {
  const rest = (process.env.PATH ?? '').split(delimiter).filter((entry) => !entry.startsWith(modules + sep))
  return { ...process.env, PATH: [...(first ? [first] : []), ...rest].join(delimiter) }
}

/**
 * Resolves with the exit code, as a shell would give it. The child leads a process group of its own and gets each
 * signal from here, once: its second one means "stop at once".
 */
function run(file, parameters, env) {
  return new Promise((resolve) => {
    const child = spawn(file, parameters, { stdio: 'inherit', detached: true, cwd: root, env })
    const last = {}
    const listeners = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => {
      const forward = () => {
        if (Date.now() - (last[signal] ?? 0) > SAME_SIGNAL_MS) child.kill(signal)
        last[signal] = Date.now()
      }
      process.on(signal, forward)
      return () => process.off(signal, forward)
    })
    const end = (code) => {
      for (const off of listeners) off()
      resolve(code)
    }
    child.once('error', (error) => {
      say(`cannot run ${file}: ${error.message}`)
      end(127)
    })
    child.once('exit', (code, signal) => end(code ?? 128 + (constants.signals[signal] ?? 0)))
  })
}

function say(text) {
  process.stderr.write(`countersign: ${text}\n`)
}

function stop(code, text) {
  say(text)
  process.exit(code)
}
