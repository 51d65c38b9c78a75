import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import type { Zone } from '#core/zone-policy.ts'

/** What is done to a zone's containers on its machine, by the words of deploy/bin/machine. */
export type MachineWord = 'services' | 'prepare' | 'backup' | 'stop' | 'start' | 'down' | 'command'

/** The machine that a zone runs on. */
export interface Machine {
  /** What the script says. Throws ERR_UPGRADE_FAILED with how it ended. */
  ask(word: MachineWord, args?: readonly string[]): Promise<string>
}

type AskedStream = AsyncIterable<unknown> & { ref?(): unknown; unref?(): unknown }

const ROOT = join(import.meta.dirname, '../..')
const SCRIPT = 'deploy/bin/machine'

/**
 * Where the program runs on the machine itself, the script is run; in a container it is asked for, on standard output, of
 * whoever started it there (deploy/bin/countersign), who answers on standard input. Undefined: there is neither.
 */
export function machineOf(zone: Zone, env: Readonly<Record<string, string | undefined>>): Machine | undefined {
  if (env.COUNTERSIGN_MACHINE === 'ask') return askedMachine(zone, process.stdin, (line) => process.stdout.write(line))
  const script = join(ROOT, SCRIPT)
  if (!existsSync(script)) return undefined
  return { ask: (word, args = []) => runScript(script, [zone, word, ...args]) }
}

async function runScript(script: string, args: readonly string[]): Promise<string> {
  // What Compose tells of its progress goes to the terminal.
  const child = spawn('sh', [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const output: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  child.once('error', reject).once('close', (code, signal) => resolve(code ?? (signal ? 128 : 1)))
  return answerOf(args, await promise, Buffer.concat(output).toString().trim())
}

/** One line a question (`machine: <zone> <word> <args>`), one line an answer (`<exit code> <what it said>`). */
export function askedMachine(zone: Zone, input: AskedStream, write: (line: string) => void): Machine {
  const lines = linesOf(input)
  return {
    async ask(word, args = []) {
      const question = [zone, word, ...args]
      write(`machine: ${question.join(' ')}\n`)
      input.ref?.()
      const { value, done } = await lines.next()
      // The program may end while nothing is asked.
      input.unref?.()
      const [, code, said = ''] = /^(\d{1,3})(?: (.*))?$/.exec(done ? '' : value) ?? []
      if (code === undefined)
        throw new CountersignError('ERR_UPGRADE_FAILED', `asking the machine for ${word}: it does not answer`)
      return answerOf(question, Number(code), said)
    },
  }
}

async function* linesOf(input: AskedStream): AsyncGenerator<string, void> {
  let rest = ''
  for await (const chunk of input) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

function answerOf(question: readonly string[], code: number, said: string): string {
  if (code === 0) return said
  const [, word, ...args] = question
  const what = [word, ...args].join(' ')
  throw new CountersignError('ERR_UPGRADE_FAILED', `${SCRIPT} ${what} ended with code ${code}${said && `: ${said}`}`)
}
