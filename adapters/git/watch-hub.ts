import { type ChildProcess, spawn } from 'node:child_process'
import { statSync, watch } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { HubWatch, Oid } from '#core/ports/repo.ts'
import { SEARCH_PATH } from './run-git.ts'
import type { ToldPack } from './told-packs.ts'

/**
 * Calls back after a push to a hub on this machine, so that nobody has to ask it. Undefined for a hub elsewhere, or one
 * that is not there (yet): then it has to be asked. A missed event is possible; ask now and then all the same.
 */
export function watchHubFolder(hubUrl: string, onPush: () => void): HubWatch | undefined {
  const path = hubUrl.startsWith('file://') ? fileURLToPath(hubUrl) : hubUrl
  if (!isAbsolute(path)) return undefined
  try {
    const folder = join(path, 'refs', 'heads')
    const { ino } = statSync(folder)
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      if (name === null || name === 'main') onPush()
    })
    watcher.on('error', onPush)
    // A hub that was put in this one's place is another folder, of which nothing is heard.
    const isLive = () => statSync(folder, { throwIfNoEntry: false })?.ino === ino
    return { isLive, [Symbol.asyncDispose]: async () => watcher.close() }
  } catch {
    return undefined // Not there: the caller asks, and the answer says what is wrong.
  }
}

/** The hub says something at least every 20 s; after this it is not there any more. */
const SILENCE_MS = 45_000
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000
/** A server that never said a word knows no such command: it is tried again in case that changes. */
const STRANGER_PAUSE_MS = 15 * 60_000
/** Well above the longest line of our own hub: a pack of 256 KiB as base64. */
const MAX_LINE_BYTES = 512 * 1024
const HEAD_LINE = /^head ([0-9a-f]{40}|none)$/
const PACK_LINE = /^pack ([0-9a-f]{40}) ([0-9a-f]{40}) ([A-Za-z0-9+/]+={0,2})$/

export interface ListenHandlers {
  /** The hub's head as last known here: the hub sends what came after it along with the head. */
  known(): Oid | null
  onHead(head: Oid | null): void
  /** Comes before the head that it leads to. */
  onPack(pack: ToldPack): void
  /** The connection ended: what was told may be out of date. */
  onLost(): void
}

/**
 * Listens to a hub over the shared ssh connection: one command that stays and prints each new head, and before it what
 * it brought. It is started again whenever it ends, later each time and with jitter; meanwhile `isLive` is false and the
 * hub has to be asked.
 */
export function listenToHub(ssh: readonly string[], handlers: ListenHandlers): HubWatch {
  let child: ChildProcess | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  let isLive = false
  let hasSpoken = false
  let failures = 0

  const start = () => {
    const [program = 'ssh', ...words] = ssh
    const known = handlers.known()
    child = spawn(program, [...words, known ? `countersign-watch ${known}` : 'countersign-watch'], {
      env: { PATH: SEARCH_PATH },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    child.once('error', again)
    child.once('exit', again)
    expectWord()
    const output = child.stdout as Readable
    createInterface({ input: output }).on('line', hear)
    let unended = 0
    output.on('data', (chunk: Buffer) => {
      const end = chunk.lastIndexOf(10)
      unended = end < 0 ? unended + chunk.length : chunk.length - end
      if (unended <= MAX_LINE_BYTES) return
      child?.kill('SIGKILL')
      // What it started may still be writing.
      output.destroy()
    })
  }
  const hear = (line: string) => {
    const [, from, to, pack] = PACK_LINE.exec(line) ?? []
    const [, head] = HEAD_LINE.exec(line) ?? []
    if (pack === undefined && head === undefined && line !== 'beat') return
    ;[isLive, hasSpoken, failures] = [true, true, 0]
    expectWord()
    if (pack !== undefined) handlers.onPack({ from: from as Oid, to: to as Oid, bytes: Buffer.from(pack, 'base64') })
    if (head !== undefined) handlers.onHead(head === 'none' ? null : (head as Oid))
  }
  const expectWord = () => {
    clearTimeout(timer)
    timer = setTimeout(() => child?.kill('SIGKILL'), SILENCE_MS)
  }
  const again = () => {
    child?.removeAllListeners()
    isLive = false
    handlers.onLost()
    clearTimeout(timer)
    if (isClosed) return
    failures += 1
    const longest = hasSpoken || failures < 4 ? LONGEST_PAUSE_MS : STRANGER_PAUSE_MS
    const pause = Math.min(longest, FIRST_PAUSE_MS * 2 ** Math.min(failures, 20))
    timer = setTimeout(start, pause * (0.5 + Math.random() / 2))
  }
  start()
  return {
    isLive: () => isLive,
    async [Symbol.asyncDispose]() {
      isClosed = true
      clearTimeout(timer)
      const ending = child
      if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
      const ended = new Promise((resolve) => ending.once('exit', resolve))
      if (ending.kill()) await ended
    },
  }
}
