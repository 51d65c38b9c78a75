import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** One process to keep running. */
export type ProcessSpec = {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Written to the child's stdin, which is then closed (a configuration that must not stand in the argument list). */
  readonly stdin?: string
  /** stdout and stderr are appended here; the file is set aside as `.1` when a start finds it over 5 MB. */
  readonly logFile: string
  /** `stopAll` stops the highest tier first; processes of one tier stop together. */
  readonly tier: number
  /** 200 while the process makes progress. Without it only a death is noticed, never a hang. */
  readonly livezUrl?: string
  /** How long a stop waits between SIGTERM and SIGKILL. */
  readonly drainMs: number
  /** Clears away what a killed predecessor may have left behind; runs before each spawn. */
  readonly beforeSpawn?: () => Promise<void>
}

export type ProcessState = {
  readonly name: string
  readonly status: 'running' | 'restarting' | 'stopped'
  readonly pid?: number
  readonly restarts: number
  /** How the last run ended: `exit 1`, `SIGKILL`, `spawn ENOENT`. */
  readonly lastExit?: string
}

export type SupervisorHooks = {
  /** A process group exists from now on, under this id. */
  readonly onSpawn?: (groupId: number) => void
  /** That group is gone. */
  readonly onGone?: (groupId: number) => void
  /** Something a person may want to see: a death, a hang. */
  readonly onEvent?: (event: { process: string; event: 'died' | 'hung'; detail: string }) => void
}

const FIRST_RESTART_MS = 100
const MAX_RESTART_MS = 15_000
const STABLE_MS = 10_000
const PROBE_EVERY_MS = 1_000
const PROBE_TIMEOUT_MS = 2_000
const PROBES_UNTIL_HUNG = 3
/** A process that has not answered once may still be starting; past this it counts as hung. */
const START_GRACE_MS = 30_000
const MAX_LOG_BYTES = 5 * 1024 * 1024

type Entry = {
  readonly spec: ProcessSpec
  wanted: boolean
  child?: ChildProcess
  gone?: Promise<void>
  startedAt: number
  restarts: number
  failuresInARow: number
  missedProbes: number
  wasLive: boolean
  lastExit?: string
  timer?: NodeJS.Timeout
}

/**
 * Keeps child processes running on one machine: a dead one is started again (100 ms, doubling to 15 s, reset after
 * 10 s of life), one whose livez stops answering is killed and started again. Each child leads a process group of its
 * own, so that a Ctrl-C in the terminal reaches only us and a kill reaches everything the child started.
 */
export class Supervisor {
  readonly #entries = new Map<string, Entry>()
  readonly #hooks: SupervisorHooks
  readonly #prober: NodeJS.Timeout

  constructor(hooks: SupervisorHooks = {}) {
    this.#hooks = hooks
    this.#prober = setInterval(() => this.#probeAll(), PROBE_EVERY_MS)
    this.#prober.unref()
  }

  /** Resolves once the process was spawned (not: is ready). Starting a running name again does nothing. */
  async start(spec: ProcessSpec): Promise<void> {
    const known = this.#entries.get(spec.name)
    if (known?.wanted) return
    const entry: Entry = {
      spec,
      wanted: true,
      startedAt: 0,
      restarts: 0,
      failuresInARow: 0,
      missedProbes: 0,
      wasLive: false,
    }
    this.#entries.set(spec.name, entry)
    await this.#spawn(entry)
  }

  /** SIGTERM, then SIGKILL to the whole group after the spec's `drainMs`. Unknown names are ignored. */
  async stop(name: string): Promise<void> {
    const entry = this.#entries.get(name)
    if (!entry) return
    entry.wanted = false
    clearTimeout(entry.timer)
    const { child, gone } = entry
    if (!child?.pid || !gone) return
    child.kill('SIGTERM')
    const killer = setTimeout(() => killGroup(child.pid), entry.spec.drainMs)
    await gone
    clearTimeout(killer)
  }

  /** Drains everything, highest tier first. Nothing runs when it resolves. */
  async stopAll(): Promise<void> {
    clearInterval(this.#prober)
    const tiers = new Set([...this.#entries.values()].map((entry) => entry.spec.tier))
    for (const tier of [...tiers].sort((a, b) => b - a)) {
      const names = [...this.#entries.values()].filter((entry) => entry.spec.tier === tier).map((e) => e.spec.name)
      await Promise.all(names.map((name) => this.stop(name)))
    }
  }

  /** Kills everything at once, without waiting: for a second signal and for the process's own `exit` event. */
  killAll(): void {
    clearInterval(this.#prober)
    for (const entry of this.#entries.values()) {
      entry.wanted = false
      clearTimeout(entry.timer)
      killGroup(entry.child?.pid)
    }
  }

  state(): ProcessState[] {
    return [...this.#entries.values()].map((entry) => ({
      name: entry.spec.name,
      status: entry.child ? 'running' : entry.wanted ? 'restarting' : 'stopped',
      ...(entry.child?.pid ? { pid: entry.child.pid } : {}),
      restarts: entry.restarts,
      ...(entry.lastExit ? { lastExit: entry.lastExit } : {}),
    }))
  }

  async #spawn(entry: Entry): Promise<void> {
    const { spec } = entry
    await spec.beforeSpawn?.()
    // A stop may have come while beforeSpawn ran.
    if (!entry.wanted) return
    const log = openLog(spec.logFile)
    const child = spawn(spec.command, spec.args, {
      env: { ...spec.env },
      ...(spec.cwd ? { cwd: spec.cwd } : {}),
      detached: true,
      stdio: [spec.stdin === undefined ? 'ignore' : 'pipe', log, log],
    })
    closeSync(log)
    child.stdin?.on('error', () => {}) // EPIPE: it died before it read; its exit is handled below
    child.stdin?.end(spec.stdin)
    if (child.pid) this.#hooks.onSpawn?.(child.pid)
    entry.startedAt = performance.now()
    entry.missedProbes = 0
    entry.wasLive = false
    entry.child = child
    entry.gone = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#ended(entry, child, signal ?? `exit ${code}`)
        resolve()
      })
      child.once('error', (error) => {
        if (child.pid) return
        this.#ended(entry, child, error.message)
        resolve()
      })
    })
  }

  #ended(entry: Entry, child: ChildProcess, how: string): void {
    // The leader is gone; whatever it started must not outlive it.
    killGroup(child.pid)
    if (child.pid) this.#hooks.onGone?.(child.pid)
    delete entry.child
    entry.lastExit = how
    if (!entry.wanted) return
    this.#hooks.onEvent?.({ process: entry.spec.name, event: 'died', detail: how })
    if (performance.now() - entry.startedAt > STABLE_MS) entry.failuresInARow = 0
    const delayMs = Math.min(FIRST_RESTART_MS * 2 ** entry.failuresInARow, MAX_RESTART_MS)
    entry.failuresInARow += 1
    entry.restarts += 1
    this.#spawnLater(entry, delayMs)
  }

  #spawnLater(entry: Entry, delayMs: number): void {
    entry.timer = setTimeout(() => {
      this.#spawn(entry).catch((error: unknown) => {
        entry.lastExit = String(error)
        if (entry.wanted) this.#spawnLater(entry, MAX_RESTART_MS)
      })
    }, delayMs)
  }

  #probeAll(): void {
    for (const entry of this.#entries.values()) {
      if (entry.child && entry.spec.livezUrl) void this.#probe(entry, entry.child, entry.spec.livezUrl)
    }
  }

  async #probe(entry: Entry, child: ChildProcess, url: string): Promise<void> {
    const live = await answersOk(url)
    if (entry.child !== child) return
    if (live) {
      entry.wasLive = true
      entry.missedProbes = 0
      return
    }
    if (!entry.wasLive && performance.now() - entry.startedAt < START_GRACE_MS) return
    entry.missedProbes += 1
    if (entry.missedProbes !== PROBES_UNTIL_HUNG) return
    this.#hooks.onEvent?.({ process: entry.spec.name, event: 'hung', detail: `${url} gives no progress` })
    killGroup(child.pid)
  }
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false // not answering is the very thing that is asked
  }
}

function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true })
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > MAX_LOG_BYTES) renameSync(file, `${file}.1`)
  return openSync(file, 'a', 0o600)
}

function killGroup(pid: number | undefined): void {
  if (!pid) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // ESRCH: nothing of the group is left, which is what was wanted
  }
}
