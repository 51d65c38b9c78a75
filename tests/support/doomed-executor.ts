import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { vaultPath } from '#core/vault-path.ts'
import type { Mailbox } from '../../demo/mailbox/mailbox.ts'
import { readLedger } from './executor.ts'
import {
  CRASHING_EXECUTOR,
  copyExecutorHome,
  EXECUTOR,
  ended,
  makeExecutorHome,
  type RealExecutorHome,
  type RunningExecutor,
  startExecutor,
} from './executor-process.ts'
import { eventually } from './mail.ts'
import { detach, listPlaces, type Place, sayPlace, signalAt, spread } from './strace.ts'

const LIMIT_MS = 60_000
/** After the file stands in Done: the copy in Sent, the dashboard. */
const AFTER_DONE_MS = 1_000
/** For an executor that waits for one that is frozen. */
const PATIENCE_MS = 20_000

/** The servers an executor acts on, and what they count. */
export interface ActedOn extends AsyncDisposable {
  readonly mailbox: Mailbox
  /** What the executor is told besides its mailbox. */
  readonly env: Readonly<Record<string, string>>
  /** When the servers were made to do it, ms since the epoch. */
  effects(): readonly number[]
}

/** A way to act that is put through the matrix. */
export interface DoomedChannel {
  readonly name: string
  /** A draft of one thing to do, and its folder of Pending_Approval. */
  draft(): { readonly domain: string; readonly fileName: string; readonly text: string }
  openServers(): Promise<ActedOn>
}

/** The programs of a matrix: `first` meets its doom, `second` is started after it. */
export interface Programs {
  readonly first: string
  readonly second: string
  /** Whether they show a card before the person decides, and keep a ledger. */
  readonly isCountersigned: boolean
}

/** The service itself; after it, the same with half a second of patience for Sent instead of ten. */
const REAL: Programs = { first: EXECUTOR, second: CRASHING_EXECUTOR, isCountersigned: true }

export interface Ending {
  readonly place: string
  /** Whether the executor came to the place; it may have been done before. */
  readonly isHit: boolean
  readonly effects: number
  /** What the person finds: the task done, or a question what became of it. */
  readonly end: 'done' | 'asked'
  /** The types of its entries. It verified. */
  readonly ledger: readonly string[]
}

/** One approved task of a channel, played as often as wanted from the same start: its card stands before the person. */
export interface Doom extends AsyncDisposable {
  /**
   * Places of an execution that is left alone: so many, spread over every call from the person's move to the end, and
   * those around the moment at which the server has done it.
   */
  places(spreadOver: number): Promise<Place[]>
  /** The executor is killed at the place, and another is started. */
  killAt(place: Place): Promise<Ending>
  /** The executor freezes at the place, another takes over and ends what it can, and the first wakes up. */
  freezeAt(place: Place): Promise<Ending & { readonly zombie: RunningExecutor }>
}

export async function makeDoom(channel: DoomedChannel, redisUrl: string, programs: Programs = REAL): Promise<Doom> {
  const draft = channel.draft()
  const template = await makeTemplate(channel, draft, redisUrl, programs)
  const logs = mkdtempSync(join(tmpdir(), 'countersign-strace-'))
  const open = () => openPlay(channel, { template, draft, redisUrl, programs })
  return {
    async places(spreadOver) {
      await using play = await open()
      const all = await listPlaces(play.pid, logs, async () => {
        play.approve()
        await eventually('the task is done', async () => (await play.end()) === 'done', LIMIT_MS)
      })
      const act = all.findIndex(({ at }) => at >= (play.effects()[0] ?? 0))
      return [...new Set([...spread(all, spreadOver), ...around(all, act)])].sort((a, b) => a.at - b.at)
    },
    async killAt(place) {
      await using play = await open()
      const { child } = play.first
      await signalAt(play.pid, place, 'SIGKILL')
      play.approve()
      const isHit = await play.isReached(() => child.signalCode === 'SIGKILL')
      child.kill('SIGKILL')
      await ended(play.first)
      const second = await play.startSecond()
      if (!second) throw new Error(`${sayPlace(place)}: no other executor could start`)
      const end = await play.converged()
      await stop(second)
      return { place: sayPlace(place), isHit, end, effects: play.effects().length, ledger: play.ledger() }
    },
    async freezeAt(place) {
      await using play = await open()
      const { child } = play.first
      const tracer = await signalAt(play.pid, place, 'SIGSTOP')
      play.approve()
      const isHit = await play.isReached(() => isStopped(play.pid))
      child.kill('SIGSTOP')
      await detach(tracer)
      const early = await play.startSecond()
      // Frozen with the lock of the journal or the ledger in its hand, it keeps every other executor waiting.
      if (early) await play.converged(PATIENCE_MS).catch(() => {})
      child.kill('SIGCONT')
      const second = early ?? (await play.startSecond())
      if (!second) throw new Error(`${sayPlace(place)}: no other executor could start`)
      await ended(play.first)
      const end = await play.converged()
      await stop(second)
      const ending = { place: sayPlace(place), isHit, end, effects: play.effects().length, ledger: play.ledger() }
      return { ...ending, zombie: play.first }
    },
    async [Symbol.asyncDispose]() {
      template[Symbol.dispose]()
      rmSync(logs, { recursive: true, force: true })
    },
  }
}

/** The server is about to do it; it has; the executor has heard so, and is about to write it down. */
function around(all: readonly Place[], act: number): Place[] {
  // Whatever wakes a thread up is read, at times two at once: which read is the n-th is no matter of the execution alone.
  const firm = all.slice(act).filter(({ call }) => !['read', 'write', 'close'].includes(call))
  return [...all.slice(act - 2, act + 2), ...firm.slice(0, 2)]
}

type Draft = ReturnType<DoomedChannel['draft']>

async function makeTemplate(
  channel: DoomedChannel,
  draft: Draft,
  redisUrl: string,
  programs: Programs,
): Promise<RealExecutorHome> {
  await using servers = await channel.openServers()
  const made = await makeExecutorHome({ mailbox: servers.mailbox, redisUrl, undoMs: 0 })
  mkdirSync(join(made.home.vault, 'Approved'), { recursive: true })
  const vault = await openVault(made.home.vault)
  await vault.create(pathOf(draft), draft.text)
  if (!programs.isCountersigned) return made
  const running = await startExecutor(programs.second, { ...made.env, ...servers.env })
  await eventually('the card is there', async () => (await vault.read(pathOf(draft)))?.includes('countersign:card'))
  await stop(running)
  return made
}

/** A copy of the zone with servers of its own and the first executor, which has nothing to do yet. */
async function openPlay(
  channel: DoomedChannel,
  from: { template: RealExecutorHome; draft: Draft; redisUrl: string; programs: Programs },
) {
  const { draft, redisUrl, programs } = from
  const closing = new AsyncDisposableStack()
  const servers = closing.use(await channel.openServers())
  const { home, env } = closing.use(copyExecutorHome(from.template, { mailbox: servers.mailbox, redisUrl, undoMs: 0 }))
  const vault = await openVault(home.vault)
  const start = async (main: string, changes: Record<string, string> = {}) => {
    const running = await startExecutor(main, { ...env, ...servers.env, ...changes })
    closing.defer(() => void running.child.kill('SIGKILL'))
    await eventually('it is ready, or ended', () => isReady(running) || running.child.exitCode !== null, LIMIT_MS)
    return isReady(running) ? running : undefined
  }
  // One thread for its files, so that the n-th call is the same one each time.
  const first = await start(programs.first, { UV_THREADPOOL_SIZE: '1', COUNTERSIGN_EXECUTOR_RECONCILE_MS: '5000' })
  if (!first) throw new Error('the executor did not start')
  const folder = async () => (await vault.find(draft.fileName))?.split('/')[0]
  const ledger = () => (programs.isCountersigned ? readLedger({ vaultRoot: home.vault }) : [])
  const end = async (): Promise<Ending['end'] | undefined> => {
    const now = await folder()
    if (now === 'Done') return 'done'
    return now === 'Pending_Approval' && ledger().includes('execution.unknown') ? 'asked' : undefined
  }
  return {
    ...{ first, pid: first.child.pid ?? 0, ledger, end, effects: servers.effects },
    approve: () => renameSync(join(home.vault, pathOf(draft)), join(home.vault, 'Approved', draft.fileName)),
    /** False when the first has done everything without being hit. */
    async isReached(isHit: () => boolean): Promise<boolean> {
      let doneAt: number | undefined
      const isOver = async () => {
        if ((await folder()) === 'Done') doneAt ??= performance.now()
        return isHit() || (doneAt !== undefined && performance.now() - doneAt > AFTER_DONE_MS)
      }
      await eventually('it is hit, or done', isOver, LIMIT_MS)
      return isHit()
    },
    /** Undefined when it ends because it cannot have the journal. */
    startSecond: () => start(programs.second),
    converged: (limitMs = LIMIT_MS) => eventually('the task is done, or the person is asked', end, limitMs),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

function pathOf({ domain, fileName }: Draft) {
  return vaultPath(`Pending_Approval/${domain}/${fileName}`)
}

async function stop(running: RunningExecutor): Promise<void> {
  running.child.kill('SIGTERM')
  await ended(running)
}

function isReady(running: RunningExecutor): boolean {
  return running.log().includes('"state":"ready"')
}

/** All of it: the traced thread alone stands still at each of its calls. */
function isStopped(pid: number): boolean {
  const task = `/proc/${pid}/task`
  return readdirSync(task).some((tid) => readFileSync(join(task, tid, 'status'), 'utf8').includes('State:\tT '))
}
