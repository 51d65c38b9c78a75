import { type ChildProcess, spawn } from 'node:child_process'
import { statSync, watch } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { HubWatch, Oid } from '#core/ports/repo.ts'
import { SEARCH_PATH } from './run-git.ts'

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

/**
 * Listens to a hub over the shared ssh connection: one command that stays and prints each new head. It is started again
 * whenever it ends, later each time and with jitter; meanwhile `isLive` is false and the hub has to be asked.
 */
export function listenToHub(ssh: readonly string[], onHead: (head: Oid | null) => void): HubWatch {
  let child: ChildProcess | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  let isLive = false
  let hasSpoken = false
  let failures = 0

  const start = () => {
    const [program = 'ssh', ...words] = ssh
    child = spawn(program, [...words, 'countersign-watch'], {
      env: { PATH: SEARCH_PATH },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    child.once('error', again)
    child.once('exit', again)
    expectWord()
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const [, head] = /^head ([0-9a-f]{40}|none)$/.exec(line) ?? []
      if (head === undefined && line !== 'beat') return
      ;[isLive, hasSpoken, failures] = [true, true, 0]
      expectWord()
      if (head !== undefined) onHead(head === 'none' ? null : (head as Oid))
    })
  }
  const expectWord = () => {
    clearTimeout(timer)
    timer = setTimeout(() => child?.kill('SIGKILL'), SILENCE_MS)
  }
  const again = () => {
    child?.removeAllListeners()
    isLive = false
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
