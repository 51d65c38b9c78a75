import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
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
import { detach, listPlaces, type Place, signalAt, spread } from './strace.ts'

const LIMIT_MS = 60_000
/** After the file stands in Done: the copy in Sent, the dashboard. */
const AFTER_DONE_MS = 1_000
/** So many calls, at the most, until the server's answer stands in the journal. */
const CALLS_TO_RECORD = 24
const RECORD_PLACES = 6
/** What the first start, which ends in good order, has compiled, the many after it need not. */
const CACHED = { NODE_COMPILE_CACHE: resolve('node_modules/.cache/node') }
/** For an executor that waits for one that is frozen. */
const PATIENCE_MS = 8_000

/** The servers an executor acts on, and what they count. */
export interface ActedOn extends AsyncDisposable {
  readonly mailbox: Mailbox
  /** What the executor is told besides its mailbox. */
  readonly env: Readonly<Record<string, string>>
  /** How often the servers were made to do it. */
  effects(): number
  /** From now on they do what they are asked, but say so only once the result was called. */
  holdAnswers(): () => void
}

/** A way to act that is put through the matrix. */
export interface DoomedChannel {
  readonly name: string
  /** Whether the servers can tell afterwards that it was done, though the executor never heard so. */
  readonly isFoundAfterwards: boolean
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

/** Counted from the person's move on, or from the moment at which the server has done it, and not said so yet. */
export interface DoomPlace extends Place {
  readonly since: 'approval' | 'act'
}

/** One approved task of a channel, played as often as wanted from the same start: its card stands before the person. */
export interface Doom extends AsyncDisposable {
  /**
   * Places of an execution that is left alone: so many, spread over every call from the person's move to the end, and
   * some of those by which the executor hears that it was done and writes it down. `matters` chooses among them.
   */
  places(spreadOver: number, matters?: (place: Place) => boolean): Promise<DoomPlace[]>
  /** The executor is killed at the place, and another is started. */
  killAt(place: DoomPlace): Promise<Ending>
  /** The executor freezes at the place, another takes over and ends what it can, and the first wakes up. */
  freezeAt(place: DoomPlace): Promise<Ending & { readonly zombie: RunningExecutor }>
}

export async function makeDoom(channel: DoomedChannel, redisUrl: string, programs: Programs = REAL): Promise<Doom> {
  const draft = channel.draft()
  const template = await makeTemplate(channel, draft, redisUrl, programs)
  const logs = mkdtempSync(join(tmpdir(), 'countersign-strace-'))
  const open = () => openPlay(channel, { template, draft, redisUrl, programs })
  const placesSince = async (since: DoomPlace['since']) => {
    await using play = await open()
    const goOn = await play.begin(since)
    const places = await listPlaces(play.pid, logs, async () => {
      goOn()
      await eventually('the task is done', async () => (await play.end()) === 'done', LIMIT_MS)
    })
    return places.map((place): DoomPlace => ({ ...place, since }))
  }
  return {
    async places(spreadOver, matters = () => true) {
      const [all, late] = [await placesSince('approval'), await placesSince('act')]
      return [...spread(all.filter(matters), spreadOver), ...spread(late.slice(0, CALLS_TO_RECORD), RECORD_PLACES)]
    },
    async killAt(place) {
      await using play = await open()
      const { child } = play.first
      await play.meet(place, 'SIGKILL')
      const isHit = await play.isReached(() => child.signalCode === 'SIGKILL')
      child.kill('SIGKILL')
      await ended(play.first)
      const second = await play.startSecond()
      if (!second) throw new Error(`${say(place)}: no other executor could start`)
      const end = await play.converged()
      await stop(second)
      return { place: say(place), isHit, end, effects: play.effects(), ledger: play.ledger() }
    },
    async freezeAt(place) {
      await using play = await open()
      const { child } = play.first
      const tracer = await play.meet(place, 'SIGSTOP')
      const isHit = await play.isReached(() => isStopped(play.pid))
      child.kill('SIGSTOP')
      await detach(tracer)
      const early = await play.startSecond()
      // Frozen with the lock of the journal or the ledger in its hand, it keeps every other executor waiting.
      if (early) await play.converged(PATIENCE_MS).catch(() => {})
      child.kill('SIGCONT')
      const second = early ?? (await play.startSecond())
      if (!second) throw new Error(`${say(place)}: no other executor could start`)
      await eventually('the one that woke up has ended', () => child.exitCode !== null, LIMIT_MS)
      const end = await play.converged()
      await stop(second)
      return { place: say(place), isHit, end, effects: play.effects(), ledger: play.ledger(), zombie: play.first }
    },
    async [Symbol.asyncDispose]() {
      template[Symbol.dispose]()
      rmSync(logs, { recursive: true, force: true })
    },
  }
}

function say({ call, nth, thread, since }: DoomPlace): string {
  return `${call} ${nth} of ${thread} since the ${since}`
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
  const running = await startExecutor(programs.first, { ...made.env, ...servers.env, ...CACHED })
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
    const running = await startExecutor(main, { ...env, ...servers.env, ...CACHED, ...changes })
    closing.defer(() => void running.child.kill('SIGKILL'))
    const isOver = () => isReady(running) || running.child.exitCode !== null
    // One that waits for the ledger, whose lock a frozen one holds, is neither ready nor over.
    await eventually('it is ready, or ended', isOver, PATIENCE_MS).catch(() => {})
    return running.child.exitCode === null ? running : undefined
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
  const begin = async (since: DoomPlace['since']): Promise<() => void> => {
    const approve = () => renameSync(join(home.vault, pathOf(draft)), join(home.vault, 'Approved', draft.fileName))
    if (since === 'approval') return approve
    const answer = servers.holdAnswers()
    approve()
    await eventually('the server has done it', () => servers.effects() > 0, LIMIT_MS)
    return answer
  }
  return {
    ...{ first, pid: first.child.pid ?? 0, ledger, end, effects: servers.effects },
    /** Brings it to where the counting begins. Gives what makes it go on. */
    begin,
    /** It goes on, and meets the signal at this place. */
    async meet(place: DoomPlace, signal: 'SIGKILL' | 'SIGSTOP') {
      const goOn = await begin(place.since)
      const tracer = await signalAt(first.child.pid ?? 0, place, signal)
      goOn()
      return tracer
    },
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
