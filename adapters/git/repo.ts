import { join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import type { CommitDraft, FetchOutcome, Oid, PushOutcome, RepoPort } from '#core/ports/repo.ts'
import { type AgentIdentity, sshFingerprint } from '#core/trust.ts'
import { checkHubUrl, cloneSettings, isSshUrl } from './config.ts'
import { initBare } from './init-bare.ts'
import { lockClone, removeStaleLocks } from './lock.ts'
import { asOid, EMPTY_BLOB, objectReader } from './objects.ts'
import { readPushOutcome } from './push-outcome.ts'
import { type GitResult, gitRunner, type RunGit, withoutCredentials } from './run-git.ts'
import { type SshAccess, shareConnection } from './ssh.ts'

export interface RepoOptions {
  /** Absolute; outside the vault, made when absent. */
  readonly gitDir: string
  /** See `checkHubUrl`. */
  readonly hubUrl: string
  /** This clone's agent name. */
  readonly agent: string
  readonly signingKeyFile: string
  readonly allowedSignersFile: string
  /** Everyone whose signature counts, from trust/agents.json. */
  readonly agents: readonly AgentIdentity[]
  /** Needed for a hub over ssh. */
  readonly ssh?: SshAccess
  /** The program that signs and verifies, absolute; default: the system's ssh-keygen. */
  readonly sshKeygen?: string | undefined
  readonly fetchTimeoutMs?: number
  readonly pushTimeoutMs?: number
}

const HUB_REF = 'refs/countersign/hub'
const REF_NAME = /^[a-z][a-z0-9-]{0,40}$/
const FETCH_TIMEOUT_MS = 60_000
const PUSH_TIMEOUT_MS = 20_000
const MAX_REASON_CHARS = 1_000
/** What git says when the hub answers, but with objects that its own checks refuse. */
const BAD_OBJECTS =
  /fsck error|error in object|invalid index-pack output|did not send all necessary objects|pack has bad object/

/**
 * Opens a clone for the sync engine, making or repairing it first: its configuration is written anew, locks that a
 * killed git left are removed. Throws ERR_CLONE_IN_USE, ERR_CONFIG_INVALID (the hub's address), ERR_GIT_FAILED.
 */
export async function openRepo(options: RepoOptions): Promise<RepoPort> {
  const { gitDir } = options
  checkHubUrl(options.hubUrl)
  const run = gitRunner(gitDir, { GIT_INDEX_FILE: join(gitDir, 'countersign-index') })
  const closing = new AsyncDisposableStack()
  closing.use(lockClone(gitDir))
  try {
    const ssh = isSshUrl(options.hubUrl) && options.ssh && closing.use(shareConnection(options.ssh, gitDir))
    removeStaleLocks(gitDir, 0, Date.now())
    await initBare(run, gitDir, cloneSettings({ ...options, sshCommand: ssh ? ssh.command : undefined }))
    return repo(run, options, closing)
  } catch (error) {
    await closing.disposeAsync()
    throw error
  }
}

function repo(run: RunGit, options: RepoOptions, closing: AsyncDisposableStack): RepoPort {
  const fingerprints = new Map(options.agents.map((one) => [sshFingerprint(one.signing), one.name]))
  const objects = objectReader(run, fingerprints)
  const commitTree = treeWriter(run)
  return {
    agent: options.agent,
    ...objects,
    fetch: () => fetchHub(run, options.fetchTimeoutMs ?? FETCH_TIMEOUT_MS),
    remoteHead: () => askHub(run, options.fetchTimeoutMs ?? FETCH_TIMEOUT_MS),
    async push({ commit, expected }) {
      if (expected !== null && !(await objects.isAncestor(expected, commit)))
        throw new CountersignError('ERR_GIT_FAILED', `pushing ${commit}: it does not descend from ${expected}`)
      return pushToHub(run, commit, expected, options.pushTimeoutMs ?? PUSH_TIMEOUT_MS)
    },
    head: () => readRef(run, HUB_REF),
    writeBlob: (bytes) => writeBlob(run, bytes),
    commitTree,
    async saveRef(name, oid) {
      await run(oid === null ? ['update-ref', '-d', ownRef(name)] : ['update-ref', ownRef(name), oid])
    },
    readRef: (name) => readRef(run, ownRef(name)),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

async function fetchHub(run: RunGit, timeoutMs: number): Promise<FetchOutcome> {
  const args = ['fetch', '-v', '--no-tags', '--no-recurse-submodules', '--no-auto-maintenance', '--no-write-fetch-head']
  const result = await transport(run, [...args, 'hub', `+refs/heads/main:${HUB_REF}`], timeoutMs)
  if (result.kind !== 'answer') return result
  if (result.exitCode === 0) return { kind: 'ok', head: await readRef(run, HUB_REF) }
  if (!/couldn't find remote ref/i.test(result.stderr)) return notFetched(result.stderr)
  await run(['update-ref', '-d', HUB_REF])
  return { kind: 'ok', head: null }
}

async function askHub(run: RunGit, timeoutMs: number): Promise<FetchOutcome> {
  const result = await transport(run, ['ls-remote', '--refs', 'hub', 'refs/heads/main'], timeoutMs)
  if (result.kind !== 'answer') return result
  if (result.exitCode !== 0) return notFetched(result.stderr)
  const line = result.stdout
    .toString('utf8')
    .split('\n')
    .find((one) => one.endsWith('\trefs/heads/main'))
  return { kind: 'ok', head: line === undefined ? null : asOid(line.slice(0, 40)) }
}

async function pushToHub(run: RunGit, commit: Oid, expected: Oid | null, timeoutMs: number): Promise<PushOutcome> {
  // The lease states the expected value; the hub's denyNonFastForwards and our ancestor check forbid what a lease allows.
  const lease = `--force-with-lease=refs/heads/main:${expected ?? ''}`
  const result = await transport(
    run,
    [
      'push',
      '--porcelain',
      '--no-verify',
      '--no-follow-tags',
      '--recurse-submodules=no',
      lease,
      'hub',
      `${commit}:refs/heads/main`,
    ],
    timeoutMs,
  )
  if (result.kind !== 'answer') return { kind: 'unknown', reason: result.reason }
  return readPushOutcome(result.stdout.toString('utf8'), withoutCredentials(result.stderr))
}

/** A call over the network: a deadline that passed is an answer too ("unreachable"), never an exception. */
async function transport(
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

function notFetched(stderr: string): FetchOutcome {
  const reason = withoutCredentials(stderr).trim().slice(0, MAX_REASON_CHARS)
  return BAD_OBJECTS.test(stderr) ? { kind: 'refused', reason } : { kind: 'unreachable', reason }
}

function ownRef(name: string): string {
  if (REF_NAME.test(name) && name !== 'hub') return `refs/countersign/${name}`
  throw new CountersignError('ERR_GIT_FAILED', `not a name for a ref of this clone: ${JSON.stringify(name)}`)
}

async function readRef(run: RunGit, ref: string): Promise<Oid | null> {
  const { exitCode, stdout } = await run(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], { accept: [0, 1] })
  return exitCode === 0 ? asOid(stdout.toString('utf8')) : null
}

async function writeBlob(run: RunGit, bytes: Uint8Array): Promise<Oid> {
  if (bytes.length === 0) {
    await run(['hash-object', '-w', '--no-filters', '/dev/null'])
    return EMPTY_BLOB
  }
  const { stdout } = await run(['hash-object', '-w', '--no-filters', '--stdin'], { input: bytes })
  return asOid(stdout.toString('utf8'))
}

/**
 * Commits through one private index, one at a time. The index still holds the last commit's tree, so the common case
 * (the next commit builds on it) reads no tree.
 */
function treeWriter(run: RunGit): RepoPort['commitTree'] {
  let indexHolds: Oid | undefined
  let last: Promise<unknown> = Promise.resolve()
  const write = async ({ parent, changes, message, trailers = {} }: CommitDraft): Promise<Oid> => {
    const text = commitText(message, trailers)
    if (parent === null) await run(['read-tree', '--empty'])
    else if (parent !== indexHolds) await run(['read-tree', parent])
    indexHolds = undefined
    if (changes.length > 0) {
      const input = changes.map(
        ({ path, oid }) => `${oid === null ? '0' : '100644'} ${oid ?? '0'.repeat(40)}\t${path}\0`,
      )
      await run(['update-index', '-z', '--index-info'], { input: input.join('') })
    }
    const tree = asOid((await run(['write-tree'])).stdout.toString('utf8'))
    const parents = parent === null ? [] : ['-p', parent]
    const made = await run(['commit-tree', '-S', ...parents, '-F', '-', tree], { input: text })
    indexHolds = asOid(made.stdout.toString('utf8'))
    return indexHolds
  }
  return (draft) => {
    const next = last.then(() => write(draft))
    last = next.catch(() => undefined)
    return next
  }
}

function commitText(message: string, trailers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(trailers).map(([key, value]) => `${key}: ${value}`)
  if (lines.some((line) => !/^[A-Za-z][A-Za-z0-9-]*: [^\r\n]*$/.test(line)))
    throw new CountersignError('ERR_GIT_FAILED', `not a trailer line in: ${JSON.stringify(lines)}`)
  return [message.trimEnd() || 'sync', ...(lines.length > 0 ? ['', ...lines] : []), ''].join('\n')
}
