import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { CountersignError } from '#core/errors.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { GitObject } from './loose-objects.ts'
import { gitEnvironment } from './run-git.ts'

/** Reads objects through git: those in packs, which nobody else reads. */
export interface CatFile extends Disposable {
  /** Throws ERR_GIT_FAILED when it is absent or over `maxBytes`; then its bytes were not read. */
  read(oid: Oid, maxBytes: number): Promise<GitObject>
  /** Undefined: absent. */
  size(oid: Oid): Promise<{ type: string; size: number } | undefined>
}

interface Question {
  readonly verb: 'info' | 'contents'
  readonly oid: Oid
  readonly resolve: (answer: { type: string; size: number; bytes: Buffer } | undefined) => void
  readonly reject: (reason: unknown) => void
}

const SILENCE_MS = 60_000
/** A process that nobody asks anything holds memory, and packs that were deleted since. */
const IDLE_MS = 30_000

/**
 * One `git cat-file` that stays for a while, asked through its pipes: starting git for each question costs more than all
 * the answers. It is started by the first question, and again after it has ended. It keeps no process alive that has
 * nothing else to do.
 */
export function catFile(gitDir: string, extraEnv: Readonly<Record<string, string>> = {}): CatFile {
  let child: ChildProcess | undefined
  let timer: NodeJS.Timeout | undefined
  const asked: Question[] = []
  const answers = answerReader(
    (answer) => asked.shift()?.resolve(answer),
    () => asked[0],
  )

  const start = (): ChildProcess => {
    const started = spawn('git', ['cat-file', '--batch-command'], {
      env: gitEnvironment(gitDir, extraEnv),
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    started.stdin?.on('error', () => {}) // It has ended; what was asked is told so below.
    started.stdout?.on('data', (bytes: Buffer) => {
      answers.take(bytes)
      rest()
    })
    for (const event of ['error', 'close'] as const) started.once(event, () => ended(started))
    return started
  }
  const ended = (which: ChildProcess) => {
    if (which !== child) return
    child = undefined
    answers.clear()
    for (const { oid, reject } of asked.splice(0)) reject(unreadable(oid, 'git cat-file ended'))
    clearTimeout(timer)
  }
  const rest = () => {
    clearTimeout(timer)
    const current = child
    if (!current) return
    const isBusy = asked.length > 0
    hold(current, isBusy)
    timer = setTimeout(() => (isBusy ? current.kill('SIGKILL') : current.stdin?.end()), isBusy ? SILENCE_MS : IDLE_MS)
    if (!isBusy) timer.unref()
  }
  const ask = (verb: Question['verb'], oid: Oid) =>
    new Promise<{ type: string; size: number; bytes: Buffer } | undefined>((resolve, reject) => {
      child = child?.stdin?.writable ? child : start()
      asked.push({ verb, oid, resolve, reject })
      child.stdin?.write(`${verb} ${oid}\n`)
      rest()
    })
  return {
    size: (oid) => ask('info', oid),
    async read(oid, maxBytes) {
      const found = await ask('info', oid)
      if (!found) throw unreadable(oid, 'it is absent')
      if (found.size > maxBytes) throw unreadable(oid, `${found.size} bytes, over ${maxBytes}`)
      const whole = await ask('contents', oid)
      if (!whole) throw unreadable(oid, 'it is absent')
      return { type: whole.type, bytes: whole.bytes }
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
      child?.kill()
    },
  }
}

/** Only while an answer is awaited may the child keep this process alive. */
function hold(child: ChildProcess, isHeld: boolean): void {
  for (const one of [child, child.stdin as Socket, child.stdout as Socket]) {
    if (isHeld) one.ref()
    else one.unref()
  }
}

/** Cuts git's output into answers: `<oid> missing`, `<oid> <type> <size>`, and for contents the bytes and a newline. */
function answerReader(
  answer: (found: { type: string; size: number; bytes: Buffer } | undefined) => void,
  next: () => Question | undefined,
) {
  let chunks: Buffer[] = []
  let have = 0
  let need = 0
  const keep = (rest: Buffer) => {
    chunks = rest.length > 0 ? [rest] : []
    have = rest.length
    need = 0
  }
  return {
    clear: () => keep(Buffer.alloc(0)),
    take(bytes: Buffer) {
      chunks.push(bytes)
      have += bytes.length
      for (let question = next(); question && have >= need; question = next()) {
        const all = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
        const lineEnd = all.indexOf(0x0a)
        if (lineEnd < 0) {
          need = have + 1
          return
        }
        const [, type = '', size] = all.toString('latin1', 0, lineEnd).split(' ')
        const start = lineEnd + 1
        const length = question.verb === 'contents' && size !== undefined ? Number(size) + 1 : 0
        if (all.length < start + length) {
          chunks = [all]
          need = start + length
          return
        }
        keep(all.subarray(start + length))
        // A copy: a view would keep everything in memory that came with it.
        const content = Buffer.from(all.subarray(start, start + Math.max(0, length - 1)))
        answer(size === undefined ? undefined : { type, size: Number(size), bytes: content })
      }
    },
  }
}

export function unreadable(oid: Oid, why: string): CountersignError {
  return new CountersignError('ERR_GIT_FAILED', `reading object ${oid}: ${why}`)
}
