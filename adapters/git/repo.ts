import { readFileSync } from 'node:fs'
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import type { SshKeyPair } from '#core/openssh-key.ts'
import type { FetchOutcome, Oid, PushOutcome, RepoPort } from '#core/ports/repo.ts'
import { type AgentIdentity, sshFingerprint } from '#core/trust.ts'
import { catFile } from './cat-file.ts'
import { checkObjects } from './clone-damage.ts'
import { formatCommit } from './commits.ts'
import { checkHubUrl, cloneSettings, isSshUrl, RESTORE } from './config.ts'
import { initBare } from './init-bare.ts'
import { keepBlobs } from './kept-blobs.ts'
import { lockClone, removeStaleLocks } from './lock.ts'
import { looseObjects } from './loose-objects.ts'
import { objectSource } from './object-source.ts'
import { asOid, objectReader } from './objects.ts'
import { refuseIncompleteClone, refuseOwnDamage, refuseOwnDisk } from './own-damage.ts'
import { readPushOutcome } from './push-outcome.ts'
import { gitRunner, type RunGit, transport, withoutCredentials } from './run-git.ts'
import { mayBeBad, salvage } from './salvage.ts'
import { type SshAccess, shareConnection, shellLine, sshTarget } from './ssh.ts'
import { readSigningKey, signCommit, withSignature } from './ssh-signature.ts'
import { toldPacks } from './told-packs.ts'
import { changeTree, formatTree, type Tree } from './trees.ts'
import { listenToHub, watchHubFolder } from './watch-hub.ts'

export interface RepoOptions {
  /** Absolute; outside the vault, made when absent. */
  readonly gitDir: string
  /** See `checkHubUrl`. */
  readonly hubUrl: string
  /** This clone's agent name. */
  readonly agent: string
  readonly signingKeyFile: string
  /** Everyone whose signature counts, from trust/agents.json. */
  readonly agents: readonly AgentIdentity[]
  /** Needed for a hub over ssh. */
  readonly ssh?: SshAccess
  readonly fetchTimeoutMs?: number
  readonly pushTimeoutMs?: number
}

const HUB_REF = 'refs/countersign/hub'
const REF_NAME = /^[a-z][a-z0-9-]{0,40}$/
const FETCH_TIMEOUT_MS = 60_000
const PUSH_TIMEOUT_MS = 20_000
const TIDY_TIMEOUT_MS = 600_000
const MANY_LOOSE = 6_000
/** Each fetch leaves one: git checks what it receives only while it makes a pack of it. */
const MANY_PACKS = 50
/** A whole history, and the hub judges every commit of it. */
const RESTORE_TIMEOUT_MS = 600_000
const MAX_REASON_CHARS = 1_000

/**
 * Opens a clone for the sync engine, making or repairing it first: its configuration is written anew, locks that a
 * killed git left are removed. Throws ERR_CLONE_IN_USE, ERR_CONFIG_INVALID (the hub's address), ERR_GIT_FAILED.
 */
export async function openRepo(options: RepoOptions): Promise<RepoPort> {
  const { gitDir } = options
  checkHubUrl(options.hubUrl)
  const run = gitRunner(gitDir)
  const signingKey = await readSigningKey(options.signingKeyFile)
  const closing = new AsyncDisposableStack()
  closing.use(lockClone(gitDir))
  try {
    const ssh = isSshUrl(options.hubUrl) && options.ssh && closing.use(shareConnection(options.ssh, gitDir))
    removeStaleLocks(gitDir, 0, Date.now())
    const settings = cloneSettings({ ...options, sshCommand: ssh ? shellLine(ssh.words) : undefined })
    await initBare(run, gitDir, settings)
    const watchCommand = ssh ? [...ssh.words, ...sshTarget(options.hubUrl)] : undefined
    return repo(run, options, { signingKey, watchCommand, settings }, closing)
  } catch (error) {
    await closing.disposeAsync()
    throw error
  }
}

interface Opened {
  readonly signingKey: SshKeyPair
  readonly watchCommand: readonly string[] | undefined
  readonly settings: Readonly<Record<string, string>>
}

function repo(
  run: RunGit,
  options: RepoOptions,
  { signingKey, watchCommand, settings }: Opened,
  closing: AsyncDisposableStack,
): RepoPort {
  const { agent, gitDir } = options
  const loose = looseObjects([join(gitDir, 'objects')])
  const packed = closing.use(catFile(gitDir))
  const fingerprints = new Map(options.agents.map((one) => [sshFingerprint(one.signing), one.name]))
  const { readTree, readCommit, ...objects } = objectReader(run, objectSource(packed, loose), fingerprints)
  const trees = { read: readTree, write: (tree: Tree) => loose.write('tree', formatTree(tree)) }
  const told = toldPacks(run)
  const takeTold = async () => {
    const head = await told.take(await readRef(run, gitDir, HUB_REF))
    if (head !== undefined) await writeRef(gitDir, HUB_REF, head)
    return head
  }
  return {
    agent,
    ...objects,
    async fetch({ mayBeTold = false } = {}) {
      const head = mayBeTold ? await takeTold() : undefined
      if (head !== undefined) return { kind: 'ok', head }
      told.forget()
      const timeoutMs = options.fetchTimeoutMs ?? FETCH_TIMEOUT_MS
      const outcome = await fetchHub(run, gitDir, timeoutMs)
      if (outcome.kind !== 'refused') return outcome
      await refuseIncompleteClone(run)
      const known = await readRef(run, gitDir, HUB_REF)
      return salvage(outcome.reason, { run, gitDir, settings, known, timeoutMs })
    },
    watch: (onPush) =>
      watchCommand
        ? listenToHub(watchCommand, {
            known: () => looseRef(gitDir, HUB_REF),
            onPack: told.note,
            onHead(head) {
              told.noteHead(head)
              onPush(head)
            },
            onLost: told.forget,
          })
        : watchHubFolder(options.hubUrl, () => onPush()),
    remoteHead: () => askHub(run, options.fetchTimeoutMs ?? FETCH_TIMEOUT_MS),
    async push({ commit, expected, isRestore }) {
      if (expected !== null && !(await objects.isAncestor(expected, commit)))
        throw new CountersignError('ERR_GIT_FAILED', `pushing ${commit}: it does not descend from ${expected}`)
      if (isRestore) return restore(run, commit, expected)
      return pushToHub(run, commit, expected, options.pushTimeoutMs ?? PUSH_TIMEOUT_MS)
    },
    resetHub: ({ to, expected }) =>
      pushRefspec(run, `+${to ?? ''}:refs/heads/main`, expected, options.pushTimeoutMs ?? PUSH_TIMEOUT_MS),
    head: () => readRef(run, gitDir, HUB_REF),
    writeBlob: (bytes) => loose.write('blob', bytes),
    async commitTree({ parent, changes, message, trailers = {} }) {
      const text = commitText(message, trailers)
      const base = parent === null ? null : (await readCommit(parent)).tree
      const tree = await changeTree(base, changes, trees)
      const payload = formatCommit({ tree, parent, agent, atMs: Date.now(), text })
      return loose.write('commit', withSignature(payload, signCommit(payload, signingKey)))
    },
    checkObjects: ({ readAll }) => checkObjects(run, readAll),
    async saveRef(name, oid) {
      if (oid === null) await run(['update-ref', '-d', ownRef(name)])
      else await writeRef(gitDir, ownRef(name), oid)
    },
    readRef: (name) => readRef(run, gitDir, ownRef(name)),
    keepBlobs: (blobs) => keepBlobs(run, blobs),
    tidy: () => packLoose(run, gitDir),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

async function fetchHub(run: RunGit, gitDir: string, timeoutMs: number): Promise<FetchOutcome> {
  const args = ['fetch', '-v', '--no-tags', '--no-recurse-submodules', '--no-auto-maintenance', '--no-write-fetch-head']
  const result = await transport(run, [...args, 'hub', `+refs/heads/main:${HUB_REF}`], timeoutMs)
  if (result.kind !== 'answer') return result
  if (result.exitCode === 0) return { kind: 'ok', head: await readRef(run, gitDir, HUB_REF) }
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

function pushToHub(run: RunGit, commit: Oid, expected: Oid | null, timeoutMs: number): Promise<PushOutcome> {
  return pushRefspec(run, `${commit}:refs/heads/main`, expected, timeoutMs)
}

/** Commits of others are among them: our own hub has to be told why we bring those, another may not know the option. */
async function restore(run: RunGit, commit: Oid, expected: Oid | null): Promise<PushOutcome> {
  const refspec = `${commit}:refs/heads/main`
  const outcome = await pushRefspec(run, refspec, expected, RESTORE_TIMEOUT_MS)
  const isForOthers = outcome.kind === 'rejected' && outcome.reason.includes('pusher-is-not-signer')
  return isForOthers ? pushRefspec(run, refspec, expected, RESTORE_TIMEOUT_MS, ['-o', RESTORE]) : outcome
}

async function pushRefspec(
  run: RunGit,
  refspec: string,
  expected: Oid | null,
  timeoutMs: number,
  more: readonly string[] = [],
): Promise<PushOutcome> {
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
      ...more,
      lease,
      'hub',
      refspec,
    ],
    timeoutMs,
  )
  if (result.kind !== 'answer') return { kind: 'unknown', reason: result.reason }
  const outcome = readPushOutcome(result.stdout.toString('utf8'), withoutCredentials(result.stderr))
  if (outcome.kind !== 'landed') refuseOwnDamage('push', result.stderr)
  return outcome
}

function notFetched(stderr: string): FetchOutcome {
  refuseOwnDisk('fetch', stderr)
  if (!mayBeBad(stderr)) refuseOwnDamage('fetch', stderr)
  const reason = withoutCredentials(stderr).trim().slice(0, MAX_REASON_CHARS)
  return mayBeBad(stderr) ? { kind: 'refused', reason, head: null, good: null } : { kind: 'unreachable', reason }
}

function ownRef(name: string): string {
  if (REF_NAME.test(name) && name !== 'hub') return `refs/countersign/${name}`
  throw new CountersignError('ERR_GIT_FAILED', `not a name for a ref of this clone: ${JSON.stringify(name)}`)
}

/** Packs grow by doubling, so each object is packed a few times in its life; nothing unreachable is thrown away. */
async function packLoose(run: RunGit, gitDir: string): Promise<void> {
  // Object names are evenly spread: one folder of 256 tells how many there are.
  const sample = await readdir(join(gitDir, 'objects', '17')).catch(() => [])
  const packs = (await readdir(join(gitDir, 'objects', 'pack')).catch(() => [])).filter((name) =>
    name.endsWith('.pack'),
  )
  if (sample.length * 256 < MANY_LOOSE && packs.length < MANY_PACKS) return
  await run(['repack', '-d', '-l', '-q', '--geometric=2'], { timeoutMs: TIDY_TIMEOUT_MS })
}

/** As git writes a ref of its own: whole, on disk, then in place. Nobody else writes the refs of this clone. */
async function writeRef(gitDir: string, ref: string, oid: Oid): Promise<void> {
  const temporary = join(gitDir, 'countersign-ref')
  await writeFile(temporary, `${oid}\n`, { flush: true })
  await mkdir(dirname(join(gitDir, ref)), { recursive: true })
  await rename(temporary, join(gitDir, ref))
}

/** A ref that stands in a file of its own, as each does that was written of late. */
function looseRef(gitDir: string, ref: string): Oid | null {
  try {
    const text = readFileSync(join(gitDir, ref), 'latin1')
    return /^[0-9a-f]{40}\n$/.test(text) ? asOid(text) : null
  } catch {
    return null
  }
}

/** A ref as git last wrote it: a file of its own, or one that git has to look for. */
async function readRef(run: RunGit, gitDir: string, ref: string): Promise<Oid | null> {
  const oid = looseRef(gitDir, ref)
  if (oid) return oid
  const { exitCode, stdout } = await run(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], { accept: [0, 1] })
  return exitCode === 0 ? asOid(stdout.toString('utf8')) : null
}

function commitText(message: string, trailers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(trailers).map(([key, value]) => `${key}: ${value}`)
  if (lines.some((line) => !/^[A-Za-z][A-Za-z0-9-]*: [^\r\n]*$/.test(line)))
    throw new CountersignError('ERR_GIT_FAILED', `not a trailer line in: ${JSON.stringify(lines)}`)
  return [message.trimEnd() || 'sync', ...(lines.length > 0 ? ['', ...lines] : []), ''].join('\n')
}
