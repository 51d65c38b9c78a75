import { mkdirSync } from 'node:fs'
import { simpleGit } from 'simple-git'
import { CountersignError } from '#core/errors.ts'

export interface GitResult {
  readonly exitCode: number
  readonly stdout: Buffer
  readonly stderr: string
}

export interface GitCall {
  /** Written to git's standard input; must not be empty (simple-git would leave the pipe open). */
  readonly input?: string | Uint8Array
  /** After this the child is told to stop and the call fails with `timedOut`. Default 20 s. */
  readonly timeoutMs?: number
  /** Exit codes that are answers, not failures. Default: 0 alone; `any` gives back whatever happened. */
  readonly accept?: readonly number[] | 'any'
}

/** Runs one git command on one repository. Throws ERR_GIT_FAILED (details: exitCode, timedOut), ERR_STATE_WRITE_FAILED. */
export type RunGit = (args: readonly string[], call?: GitCall) => Promise<GitResult>

/** Where git and ssh are looked for. The caller's own PATH and environment are not inherited. */
export const SEARCH_PATH = '/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'
const DEFAULT_TIMEOUT_MS = 20_000
const MAX_MESSAGE_CHARS = 600

/**
 * A runner bound to a git directory with a closed environment: no system or global configuration, no prompts, no
 * replace refs, only file, ssh and https transports. `extraEnv` adds git variables (a private index, a quarantine).
 */
export function gitRunner(gitDir: string, extraEnv: Readonly<Record<string, string>> = {}): RunGit {
  mkdirSync(gitDir, { recursive: true, mode: 0o700 })
  const env = gitEnvironment(gitDir, extraEnv)
  return (args, call = {}) => runOnce(gitDir, env, args, call)
}

/** All that a git of ours sees of the environment. */
export function gitEnvironment(gitDir: string, extra: Readonly<Record<string, string>>): Record<string, string> {
  return {
    PATH: SEARCH_PATH,
    HOME: gitDir,
    LC_ALL: 'C',
    GIT_DIR: gitDir,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_ALLOW_PROTOCOL: 'file:ssh:https',
    ...extra,
  }
}

async function runOnce(
  gitDir: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  call: GitCall,
): Promise<GitResult> {
  const timeoutMs = call.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const abort = new AbortController()
  let result: GitResult | undefined
  const git = simpleGit({
    baseDir: gitDir,
    abort: abort.signal,
    // The exit event can come before the last output was read; only the close event ends a call.
    completion: { onClose: true, onExit: false },
    allowEnvironment: Object.keys(env).filter((name) => name.startsWith('GIT_')),
    unsafe: { allowUnsafeConfigPaths: true, allowUnsafeTemplateDir: true },
    ...(call.input !== undefined && { input: () => Buffer.from(call.input ?? '') }),
    // simple-git's own rule takes a failure without stderr for success; keep the facts and decide below.
    errors: (error, { exitCode, stdOut, stdErr }) => {
      result = { exitCode, stdout: Buffer.concat(stdOut), stderr: Buffer.concat(stdErr).toString('utf8') }
      return error instanceof Error && abort.signal.aborted ? error : undefined
    },
  })
    .env({ ...env })
    // simple-git waits 50 ms more for a child that printed nothing; an empty chunk counts as print.
    .outputHandler((_command, stdout) => stdout.once('end', () => stdout.emit('data', Buffer.alloc(0))))

  // A grandchild (ssh) may hold the pipes after git was told to stop, so the deadline does not wait for the child.
  const deadline = Promise.withResolvers<'timed-out'>()
  const timer = setTimeout(() => {
    abort.abort()
    deadline.resolve('timed-out')
  }, timeoutMs)
  try {
    const ended = git.raw([...args]).then(
      () => 'ended' as const,
      (cause: unknown) => ({ cause }),
    )
    const how = await Promise.race([ended, deadline.promise])
    if (how === 'timed-out') throw failure(args, `no answer within ${timeoutMs} ms`, { timedOut: true })
    if (result === undefined)
      throw failure(args, 'it could not be started', {}, how === 'ended' ? undefined : how.cause)
    const accept = call.accept ?? [0]
    if (accept === 'any' || accept.includes(result.exitCode)) return result
    throw failure(args, result.stderr.trim() || `exit code ${result.exitCode}`, { exitCode: result.exitCode })
  } finally {
    clearTimeout(timer)
  }
}

/** A call over the network: a deadline that passed is an answer too ("unreachable"), never an exception. */
export async function transport(
  run: RunGit,
  args: readonly string[],
  timeoutMs: number,
): Promise<({ kind: 'answer' } & GitResult) | { kind: 'unreachable'; reason: string }> {
  try {
    return { kind: 'answer', ...(await run(args, { timeoutMs, accept: 'any' })) }
  } catch (error) {
    if (error instanceof CountersignError && error.details.timedOut === true)
      return { kind: 'unreachable', reason: error.message }
    throw error
  }
}

function failure(args: readonly string[], found: string, details: Record<string, unknown>, cause?: unknown) {
  const text = `git ${args[0]}: ${withoutCredentials(found).slice(0, MAX_MESSAGE_CHARS)}`
  return new CountersignError(isDiskFault(found) ? 'ERR_STATE_WRITE_FAILED' : 'ERR_GIT_FAILED', text, {
    details,
    cause,
  })
}

/** How a disk that takes nothing is told, as the source of a pattern. */
export const DISK_WORDS = '(?:No space left on device|Disk quota exceeded|Read-only file system)'
const OWN_DISK = new RegExp(`^(?!remote: ).*${DISK_WORDS}`, 'm')

/** Whether git says that a disk of this machine is full or read-only; the hub's words come after `remote:`. */
export function isDiskFault(stderr: string): boolean {
  return OWN_DISK.test(stderr)
}

/** Git repeats addresses in its messages; a password in one must not reach a log. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/:\/\/[^@/\s]*@/g, '://***@')
}
