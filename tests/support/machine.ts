import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cp, mkdir, readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const IMAGE = 'countersign/test-machine'
const SOCKET = '/var/run/docker.sock'
const MAX_OUTPUT = 16 * 1024 * 1024
const PATIENCE_MS = 300_000

type Variables = Readonly<Record<string, string>>

/**
 * An empty Debian machine with Docker and a checkout of this project on which `npm install` was run. It is a container:
 * its Docker is this machine's, so that what it starts are its neighbours, and the checkout has the same path here.
 */
export interface Machine extends AsyncDisposable {
  readonly checkout: string
  /** A line as its owner would type it in the checkout; resolves with what it printed to stdout, rejects with both outputs. */
  run(line: string, variables?: Variables): Promise<string>
  /**
   * The same on a terminal, where each question is waited for, in this order, and then answered. Resolves with all that was shown there.
   */
  typed(line: string, answers: readonly (readonly [question: string, answer: string])[]): Promise<string>
}

/** Who uses it: root, as on a VM, or somebody with an account of their own. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * `folder`: where the checkout goes, on this machine and in the container. `network`: what it reaches the world by. `more`: further
 * options of `docker run`.
 */
export async function startMachine(
  folder: string,
  owner: Owner,
  network = 'bridge',
  more: readonly string[] = [],
): Promise<Machine> {
  await run('docker', ['build', '-q', '-t', IMAGE, join(import.meta.dirname, 'machine')], { maxBuffer: MAX_OUTPUT })
  const checkout = join(folder, 'countersign')
  await copyCheckout(checkout, owner)
  const name = `countersign-machine-${randomBytes(6).toString('hex')}`
  await run('docker', [
    ...['run', '-d', '--name', name, '--init', '--network', network, '--add-host', 'host.docker.internal:host-gateway'],
    ...[
      '--user',
      `${owner.uid}:${owner.gid}`,
      '--group-add',
      String((await stat(SOCKET)).gid),
      '-e',
      'HOME=/tmp',
      '-e',
      'NPM_CONFIG_UPDATE_NOTIFIER=false',
    ],
    ...[
      '-v',
      `${checkout}:${checkout}`,
      '-v',
      `${await realpath(join(root, 'node_modules'))}:${checkout}/node_modules:ro`,
    ],
    ...['-v', `${SOCKET}:${SOCKET}`, ...(await dockerPrograms()).flatMap((file) => ['-v', `${file}:${file}:ro`])],
    ...[...more, '-w', checkout, IMAGE, 'sleep', 'infinity'],
  ])
  const inside = (variables: Variables = {}) => [
    ...['exec', '-i', ...Object.entries(variables).flatMap(([key, value]) => ['-e', `${key}=${value}`]), name],
  ]
  return {
    checkout,
    async run(line, variables) {
      const { stdout } = await run('docker', [...inside(variables), 'bash', '-c', line], { maxBuffer: MAX_OUTPUT })
      return stdout
    },
    typed: (line, answers) => typeInto([...inside({ TERM: 'dumb' }), 'script', '-qefc', line, '/dev/null'], answers),
    async [Symbol.asyncDispose]() {
      // What it made as root could not be removed by whoever runs the tests.
      await run('docker', ['exec', name, 'rm', '-rf', join(checkout, 'zones')]).catch(() => {}) // the container is gone
      await run('docker', ['rm', '-f', '-v', name])
    },
  }
}

/** Without what git does not have; node_modules is lent. */
async function copyCheckout(checkout: string, { uid, gid }: Owner): Promise<void> {
  await mkdir(checkout, { recursive: true })
  const left = ['.git', 'node_modules', 'zones', 'dist']
  for (const name of (await readdir(root)).filter((one) => !left.includes(one)))
    await cp(join(root, name), join(checkout, name), { recursive: true, verbatimSymlinks: true })
  await mkdir(join(checkout, 'node_modules'))
  if (process.getuid?.() === 0) await run('chown', ['-R', `${uid}:${gid}`, checkout])
}

/** Docker's command line and its plug-ins. */
async function dockerPrograms(): Promise<string[]> {
  const { stdout } = await run('docker', ['info', '--format', '{{json .ClientInfo.Plugins}}'])
  const plugins = JSON.parse(stdout) as readonly { readonly Path: string }[]
  const { stdout: program } = await run('sh', ['-c', 'command -v docker'])
  return [program.trim(), ...plugins.map(({ Path }) => Path)]
}

async function typeInto(args: readonly string[], answers: readonly (readonly [string, string])[]): Promise<string> {
  const terminal = spawn('docker', args, { stdio: ['pipe', 'pipe', 'inherit'], timeout: PATIENCE_MS })
  const left = [...answers]
  let shown = ''
  let answered = 0
  terminal.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    shown += chunk
    const [question, answer] = left[0] ?? []
    const at = question === undefined ? -1 : shown.indexOf(question, answered)
    if (question === undefined || at < 0) return
    left.shift()
    answered = at + question.length
    terminal.stdin.write(`${answer}\r`)
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    terminal.once('error', reject)
    terminal.once('close', resolve)
  })
  if (code !== 0 || left.length > 0)
    throw new Error(
      `${args.join(' ')}: ended with ${code}, not asked: ${left.map(([one]) => one).join('; ')}\n${shown}`,
    )
  return shown
}
