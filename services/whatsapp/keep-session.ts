import type { Clock } from '#core/ports/clock.ts'
import type { SessionClient, SessionHandlers, SessionMemory, WhatsAppStatus } from '#core/ports/whatsapp.ts'
import { type ChatMessage, nextSendAt, type Pacing } from '#core/whatsapp-message.ts'
import {
  afterRestart,
  firstSession,
  nextSession,
  SESSION_STATES,
  type Session,
  type SessionEnd,
  type SessionEvent,
  saySession,
  stopped,
} from '#core/whatsapp-session.ts'
import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'

export interface KeepDeps {
  readonly memory: SessionMemory
  /** Brings up one browser. */
  open(handlers: SessionHandlers): SessionClient
  /** Before a browser is brought up: what a killed one left. */
  tidy(): Promise<void>
  /** The session is over: nothing of it stays on the disk. */
  forget(): Promise<void>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'count' | 'set'>
  /** Called at every sign of progress. */
  beat(): void
  readonly pacing: Pacing
  /** How long to wait after the first attempt that came to nothing, ms. */
  readonly firstPauseMs: number
  /** How often it is looked whether something is to be done, and whether the page still answers. */
  readonly lookMs: number
  readonly pingMs: number
}

export interface SessionKeeper extends AsyncDisposable {
  status(): WhatsAppStatus
  session(): Session
  /** The code that waits to be scanned. */
  code(): string | undefined
  /** A person wants to link a telephone, or to go on. */
  askToLink(): void
  logout(): Promise<void>
  /** The browser, while the session is ready. */
  client(): SessionClient | undefined
}

/** So long after a person asked, codes are shown; nobody shows any by themselves. */
const ASKED_MS = 10 * 60_000
/** What was edited or deleted while nobody listened is looked for so far back. */
const LOOK_BACK_MS = 2 * 86_400_000
const MAX_SILENT_PINGS = 2

/**
 * Keeps one browser on the session: brings it up when its time has come, notices when it dies, hangs, is logged out or is
 * taken over, and waits longer after each attempt that came to nothing. What became of it is written down first.
 */
export function keepSession(deps: KeepDeps): SessionKeeper {
  const { memory, clock, log } = deps
  const kept = memory.session()
  let session = kept
    ? afterRestart(kept, clock.now(), deps.firstPauseMs)
    : firstSession(memory.linked() !== undefined, clock.now())
  let live: { readonly client: SessionClient; closing?: Promise<void> } | undefined
  let code: string | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  let pingedAt = 0
  let silent = 0
  let isBusy = false
  let isStopped = false
  remember()

  function step(event: SessionEvent): void {
    const next = nextSession(session, event, clock.now(), deps.firstPauseMs)
    if (next === session) return
    const hasChanged = next.state !== session.state
    session = next
    remember()
    if (hasChanged) log.info({ state: session.state, reason: session.reason }, saySession(session))
  }

  function remember(): void {
    memory.keepSession(session)
    for (const state of SESSION_STATES)
      deps.metrics.set('countersign_whatsapp_session', session.state === state ? 1 : 0, { state })
  }

  async function start(): Promise<void> {
    await deps.tidy()
    step({ kind: 'started' })
    code = undefined
    silent = 0
    pingedAt = clock.now()
    const isMine = () => live?.client === client && live.closing === undefined
    const client = deps.open({
      onCode(shown) {
        if (!isMine()) return
        // Nobody asked: the telephone took the link away while this machine was off.
        if (clock.now() - askedAt > ASKED_MS) return end('logged-out', 'the telephone took the link away')
        code = shown
        step({ kind: 'code-shown' })
      },
      onReady(own) {
        if (!isMine()) return
        code = undefined
        memory.link(own, clock.now())
        catchUp(client).then(
          () => {
            if (isMine()) step({ kind: 'linked' })
          },
          (error: unknown) => {
            log.warn({ err: error }, 'what came meanwhile could not be read')
            if (isMine()) end('lost', 'what came meanwhile could not be read')
          },
        )
      },
      onMessage: (message) => keep([message]),
      onEnd: (by, reason) => {
        if (isMine()) end(by, reason)
      },
      onFault: (error) => log.warn({ err: error }, 'the WhatsApp page had a fault'),
    })
    live = { client }
  }

  /** What came while nobody listened, and what has become of what came before. */
  async function catchUp(client: SessionClient): Promise<void> {
    const { since } = memory.linked() ?? { since: clock.now() }
    const from = Math.max(since, (memory.newestAt() ?? since) - LOOK_BACK_MS)
    keep(await client.since(from))
  }

  function keep(messages: readonly ChatMessage[]): void {
    const { since } = memory.linked() ?? { since: Number.POSITIVE_INFINITY }
    // WhatsApp's times are cut to the second.
    for (const message of messages.filter((one) => !one.from_me && one.at >= since - 1_000))
      if (memory.add(message)) deps.metrics.count('countersign_whatsapp_received_total', { state: message.state })
  }

  function end(by: SessionEnd, reason: string): void {
    if (live === undefined || live.closing !== undefined) return
    code = undefined
    const isOver = by === 'logged-out' || (by === 'unscanned' && memory.linked() === undefined)
    if (by === 'logged-out') memory.unlink()
    step({ kind: 'ended', by, reason })
    live.closing = close(live.client, isOver)
  }

  async function close(client: SessionClient, isOver: boolean): Promise<void> {
    await client[Symbol.asyncDispose]()
    if (isOver) await deps.forget()
    live = undefined
  }

  async function look(): Promise<void> {
    if (live?.closing !== undefined) {
      await live.closing
      return
    }
    const now = clock.now()
    if (!live && session.retryAt !== undefined && now >= session.retryAt) return start()
    if (live && session.state === 'ready' && now - pingedAt >= deps.pingMs) {
      pingedAt = now
      const answered = await live.client.ping().then(
        () => true,
        () => false,
      )
      silent = answered ? 0 : silent + 1
      if (silent >= MAX_SILENT_PINGS) end('lost', 'the page does not answer')
    }
  }

  const timer = setInterval(() => {
    if (isBusy || isStopped) return
    isBusy = true
    look()
      .then(deps.beat, (error: unknown) => log.error({ err: error }, 'looking after the WhatsApp session failed'))
      .finally(() => {
        isBusy = false
      })
  }, deps.lookMs)

  return {
    session: () => session,
    status() {
      const linked = memory.linked()
      return {
        state: session.state,
        say: saySession(session),
        since: session.since,
        ...(linked && { own: linked.own }),
        next_send_at: nextSendAt(memory.sentAt(clock.now()), deps.pacing, clock.now()),
        epoch: memory.epoch,
        newest: memory.newest(),
      }
    },
    code: () => code,
    askToLink() {
      askedAt = clock.now()
      step({ kind: 'asked' })
    },
    async logout() {
      const client = session.state === 'ready' ? live?.client : undefined
      await client?.logout().catch((error: unknown) => log.warn({ err: error }, 'WhatsApp did not confirm the logout'))
      if (live) end('logged-out', 'you logged out')
      else {
        memory.unlink()
        step({ kind: 'ended', by: 'logged-out', reason: 'you logged out' })
        await deps.forget()
      }
      await live?.closing
    },
    client: () => (session.state === 'ready' && !live?.closing ? live?.client : undefined),
    async [Symbol.asyncDispose]() {
      isStopped = true
      clearInterval(timer)
      session = stopped(session, clock.now())
      memory.keepSession(session)
      if (live) await (live.closing ?? close(live.client, false))
    },
  }
}
