import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from './mail.ts'

/** strace may be there and still not be allowed to trace. */
export const hasStrace = spawnSync('strace', ['-f', 'true']).status === 0

/** A process that runs already may be another matter (Yama). */
export const mayAttachStrace = hasStrace && spawnSync('sh', ['-c', 'sleep 0.3 & strace -qq -p $!']).status === 0

/** The threads of a Node process that reach files and the network, when its pool has one thread (UV_THREADPOOL_SIZE=1). */
const THREADS = ['MainThread', 'libuv-worker'] as const

/** One system call of a process: the n-th of its name that this thread makes after strace was attached. */
export interface Place {
  readonly thread: (typeof THREADS)[number]
  readonly call: string
  readonly nth: number
  /**
   * Whether it can change what others see, on disk or over the network: what is killed at one of the others leaves the
   * world as it is killed at the next that does.
   */
  readonly isChange: boolean
}

/** Everything by which a process touches files and the network. */
const CALLS =
  '%file,%network,read,readv,pread64,write,writev,pwrite64,fsync,fdatasync,ftruncate,fallocate,close,fcntl,flock,getdents64'

const READS =
  /^(read|readv|pread64|getdents64|close|fcntl|flock|access|faccessat2?|f?stat|lstat|newfstatat|statx|readlink(at)?|getsockopt|setsockopt|getsockname|getpeername|recv\w*|statfs|inotify_\w+) /
/** To itself alone: its threads wake each other so. */
const INWARD = /^\w+ \d+<(anon_inode|pipe):/
const OPENS_TO_READ = /^open(at)? (?!.*O_(CREAT|TRUNC))/

/** Every call on files and the network that a process makes while `act` runs, in their order. */
export async function listPlaces(pid: number, folder: string, act: () => Promise<void>): Promise<Place[]> {
  const traced = THREADS.filter((thread) => threadOf(pid, thread) !== undefined).map((thread) => ({
    thread,
    log: join(folder, `${thread}.strace`),
  }))
  const options = ['-ttt', '-y', '-s', '0', '-e', `trace=${CALLS}`]
  const tracers = await Promise.all(traced.map(({ thread, log }) => attach(pid, thread, [...options, '-o', log])))
  try {
    await act()
  } finally {
    for (const tracer of tracers) await detach(tracer)
  }
  return traced.flatMap(({ thread, log }) => parseLog(thread, readFileSync(log, 'utf8'))).sort((a, b) => a.at - b.at)
}

function parseLog(thread: Place['thread'], log: string): (Place & { at: number })[] {
  const counts = new Map<string, number>()
  return log.split('\n').flatMap((line) => {
    const [, at, call = '', rest = ''] = /^(\d+\.\d+) (\w+)\((.*)/.exec(line) ?? []
    if (at === undefined) return []
    const isChange = ![READS, INWARD, OPENS_TO_READ].some((pattern) => pattern.test(`${call} ${rest}`))
    const nth = (counts.get(call) ?? 0) + 1
    counts.set(call, nth)
    return { thread, call, nth, isChange, at: Number(at) }
  })
}

/** The process goes on as if it had never been watched; one that is stopped stays so. */
export async function detach(tracer: ChildProcess): Promise<void> {
  if (tracer.exitCode !== null || tracer.signalCode !== null) return
  const ended = once(tracer, 'exit')
  tracer.kill('SIGINT')
  await ended
}

/** From now on the process is sent `signal` when it comes to this place. Ends with the process, or when it is killed. */
export function signalAt(
  pid: number,
  { thread, call, nth }: Place,
  signal: 'SIGKILL' | 'SIGSTOP',
): Promise<ChildProcess> {
  const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=${signal}:when=${nth}`]
  return attach(pid, thread, [...inject, '-o', '/dev/null'])
}

async function attach(pid: number, thread: Place['thread'], options: readonly string[]): Promise<ChildProcess> {
  const tid = threadOf(pid, thread)
  if (tid === undefined) throw new Error(`process ${pid} has no thread ${thread}`)
  const tracer = spawn('strace', ['-qq', ...options, '-p', tid], { stdio: ['ignore', 'ignore', 'inherit'] })
  await eventually(`strace watches ${thread}`, () => {
    const status = statusOf(pid, tid)
    // What it was to kill may be dead already.
    if (tracer.exitCode !== null && !isDead(status)) throw new Error(`strace ended: ${tracer.exitCode}`)
    return isDead(status) || status.includes(`TracerPid:\t${tracer.pid}\n`)
  })
  return tracer
}

function statusOf(pid: number, tid: string): string {
  try {
    return readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8')
  } catch {
    return ''
  }
}

function isDead(status: string): boolean {
  return status === '' || /^State:\t[ZX]/m.test(status)
}

function threadOf(pid: number, thread: Place['thread']): string | undefined {
  const task = `/proc/${pid}/task`
  return readdirSync(task).find((tid) => readFileSync(join(task, tid, 'comm'), 'utf8').trim() === thread)
}

/** So many of them, as far apart as they can be, the first and the last among them. */
export function spread<T>(all: readonly T[], count: number): T[] {
  if (all.length <= count) return [...all]
  return Array.from({ length: count }, (_, index) => all[Math.round((index * (all.length - 1)) / (count - 1))] as T)
}
