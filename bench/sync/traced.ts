import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** What a process and everything it starts did while it was watched. */
export interface Trace {
  /** Programs started, by name. */
  readonly programs: Readonly<Record<string, number>>
  /** `…​.lock` files made, by name. */
  readonly locks: Readonly<Record<string, number>>
}

const CALLS = 'trace=execve,open,openat,creat,link,linkat,rename,renameat,renameat2'

/** Watches a process through strace while `act` runs; undefined where there is no strace, or it may not look. */
export async function traced(pid: number, file: string, act: () => Promise<void>): Promise<Trace | undefined> {
  const strace = spawn('strace', ['-f', '-qq', '-s', '300', '-e', CALLS, '-o', file, '-p', `${pid}`], {
    stdio: 'ignore',
  })
  const ended = once(strace, 'exit').catch(() => undefined)
  if (!(await isAttached(strace, pid))) return undefined
  try {
    await act()
  } finally {
    strace.kill('SIGINT')
    await ended
  }
  return summary(readFileSync(file, 'utf8'))
}

async function isAttached(strace: ChildProcess, pid: number): Promise<boolean> {
  strace.once('error', () => {}) // no such program: its pid is undefined
  for (let tries = 0; tries < 100 && strace.pid && strace.exitCode === null; tries++) {
    const tracer = /^TracerPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    if (tracer === String(strace.pid)) return true
    await delay(50)
  }
  return false
}

const PROGRAM = /execve\("[^"]*?([^/"]+)", \["[^"]*"(?:, "([^"]*)")?.* = 0$/
/** A lock opened to be made, or a file linked or renamed to be one. */
const LOCK = /"[^"]*?([^/"]+\.lock)", [A-Z_|]*O_CREAT.* = \d+$|, "[^"]*?([^/"]+\.lock)"(?:, \w+)?\) = 0$/

function summary(text: string): Trace {
  const programs: Record<string, number> = {}
  const locks: Record<string, number> = {}
  for (const call of wholeCalls(text)) {
    const [, program, first] = PROGRAM.exec(call) ?? []
    if (program) count(programs, program === 'git' ? `git ${first}` : program)
    const lock = LOCK.exec(call)
    if (lock) count(locks, lock[1] ?? lock[2] ?? '')
  }
  return { programs, locks }
}

/** A call that others came between stands on two lines. */
function wholeCalls(text: string): string[] {
  const begun = new Map<string, string>()
  return text.split('\n').map((line) => {
    const [, pid = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (call.endsWith(' <unfinished ...>')) begun.set(pid, call.slice(0, -' <unfinished ...>'.length))
    return call.replace(/^<\.\.\. \w+ resumed>/, () => begun.get(pid) ?? '')
  })
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}
