import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { removeStaleLocks } from '#adapters/git/lock.ts'
import { openRepo } from '#adapters/git/repo.ts'
import { trustHost } from '#adapters/keys/trust-files.ts'
import type { RepoPort } from '#core/ports/repo.ts'
import type { Zone } from '#core/zone-policy.ts'
import { CLAIMS_PER_PUSH } from '#services/sync/claims/claim-tasks.ts'
import { startGate } from '../gate-process.ts'
import { makeHub, makeZones, type Zones } from '../git-zones.ts'
import { serveHub } from '../sshd.ts'
import { type CutProxy, cutProxy } from './cut-proxy.ts'
import { gitsOf, killNow, receivePacksOf } from './faults.ts'
import type { CloneSetup } from './setup.ts'
import { readTold, type Told } from './told.ts'

export interface WorldOptions {
  readonly agents: readonly string[]
  /** `countersign`: our engine. `plain`: rename, commit, pull --rebase, push. */
  readonly engine: 'countersign' | 'plain'
  readonly giveBackOneIn?: number
  readonly isCourteous?: boolean
  readonly claimsPerPush?: number
  /** How long the line holds everything back in each direction, ms. */
  readonly delayMs?: (agent: string) => number
}

export type FaultKind = 'clone' | 'git' | 'receive-pack' | 'cut'

/** Clones in processes of their own on one hub over ssh, each behind a line that can be cut. */
export interface ClaimWorld extends AsyncDisposable {
  readonly hub: string
  /** Puts tasks at the hub; gives their file names. */
  seed(count: number): Promise<string[]>
  start(agent: string): void
  /** Does one fault to somebody, if there is something to do it to. */
  fault(kind: FaultKind, random: () => number): Promise<boolean>
  /** Everybody may end once nothing is left to do; resolves when they have. */
  finish(): Promise<void>
  paths(): Promise<string[]>
  told(): Told[]
  /** A clone of the zone local, right at the hub. */
  readonly repo: RepoPort
  git(...args: string[]): string
  /** What the clones said, for when something goes wrong. */
  log(agent: string): string
}

const run = promisify(execFile)
const MAIN = { countersign: 'clone-main.ts', plain: 'plain-main.ts' } as const

export async function openClaimWorld(options: WorldOptions): Promise<ClaimWorld> {
  const closing = new AsyncDisposableStack()
  const names = [...options.agents.map((agent): [string, Zone] => [agent, 'cloud']), ['local', 'local'] as const]
  const zones = closing.use(await makeZones(undefined, names))
  const hub = options.engine === 'plain' ? plainHub(zones) : await makeHub(zones)
  const server = closing.use(await serveHub(zones, hub))
  if (options.engine === 'countersign') closing.use(await startGate(hub, zones.trustDir))
  const proxies = new Map<string, CutProxy>()
  const hostKey = readFileSync(`${server.hostKeyFile}.pub`, 'utf8')
  for (const agent of options.agents) {
    const proxy = closing.use(await cutProxy(server.port, options.delayMs?.(agent)))
    proxies.set(agent, proxy)
    await trustHost(join(zones.home(agent), 'trust'), { host: '127.0.0.1', port: proxy.port, hostKey })
  }
  const repo = closing.use(
    await openRepo({
      gitDir: join(zones.root, 'seed.git'),
      hubUrl: hub,
      agent: 'local',
      signingKeyFile: join(zones.home('local'), 'keys', 'signing'),
      agents: zones.agents,
    }),
  )
  const children = new Map<string, ChildProcess>()
  const logs = new Map<string, string>()
  const stopFile = join(zones.root, 'stop')
  const dirOf = (agent: string) => join(zones.home(agent), 'clone')
  const toldOf = (agent: string) => join(zones.root, `told-${agent}`)
  let isFinishing = false
  let serial = 0

  const start = (agent: string) => {
    const setup: CloneSetup = {
      ...{ agent, dir: dirOf(agent), stopFile, toldFile: toldOf(agent) },
      hubUrl: `ssh://${server.user}@127.0.0.1:${proxies.get(agent)?.port}/vault.git`,
      ...{ keys: join(zones.home(agent), 'keys'), trust: join(zones.home(agent), 'trust') },
      ...{ giveBackOneIn: options.giveBackOneIn ?? 0, isCourteous: options.isCourteous ?? false },
      claimsPerPush: options.claimsPerPush ?? CLAIMS_PER_PUSH,
    }
    mkdirSync(setup.dir, { recursive: true })
    const main = resolve('tests/support/claims', MAIN[options.engine])
    const child = spawn(process.execPath, [main, JSON.stringify(setup)], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.set(agent, child)
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        logs.set(agent, `${logs.get(agent) ?? ''}${text}`.slice(-20_000))
      })
    // Whoever dies is started anew, as a container's policy would; once it has ended by itself, it is done.
    child.once('exit', (code) => {
      if (children.get(agent) === child && !closing.disposed && (code !== 0 || !isFinishing)) start(agent)
    })
  }
  const paths = async () => {
    // The hub removes such a lock after half a minute; here nobody waits for that.
    removeStaleLocks(hub, 2_000, Date.now())
    const { stdout } = await run('git', ['--git-dir', hub, 'ls-tree', '-r', '--name-only', 'main'], {
      maxBuffer: 1 << 26,
    })
    return stdout.split('\n').filter(Boolean)
  }
  const end = async (agent: string) => {
    const child = children.get(agent)
    children.delete(agent)
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return
    process.kill(-child.pid, 'SIGKILL')
    await once(child, 'exit')
  }
  closing.defer(async () => {
    for (const agent of options.agents) await end(agent)
    for (const agent of options.agents) for (const pid of gitsOf(dirOf(agent))) killNow(pid)
  })

  const pick = <T>(from: readonly T[], random: () => number) => from[Math.floor(random() * from.length)]
  return {
    hub,
    repo,
    start,
    async seed(count) {
      const ids = Array.from({ length: count }, () => `01K9ZZZZZZZZZZZZZZZZ${String(serial++).padStart(6, '0')}`)
      const names = ids.map((id) => `EMAIL_2026-11-20_task_${id.slice(-6).toLowerCase()}.md`)
      const changes = await Promise.all(
        ids.map(async (id, at) => ({
          path: `Needs_Action/email/${names[at]}`,
          oid: await repo.writeBlob(Buffer.from(taskText(id))),
        })),
      )
      for (;;) {
        const fetched = await repo.fetch()
        const parent = fetched.kind === 'ok' ? fetched.head : null
        const message = `Seed ${count} tasks`
        const commit = await repo.commitTree({ parent, changes, message, trailers: { Nonce: `${serial}` } })
        const outcome = await repo.push({ commit, expected: parent })
        if (outcome.kind === 'landed') return names
        if (outcome.kind === 'rejected' && outcome.cause === 'refused') throw new Error(outcome.reason)
        await delay(20)
      }
    },
    async fault(kind, random) {
      const agent = pick(options.agents, random) ?? ''
      const child = children.get(agent)
      if (kind === 'cut') return (proxies.get(agent)?.cut() ?? 0) > 0
      if (kind === 'clone') {
        if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return false
        process.kill(-child.pid, 'SIGKILL')
        return true
      }
      // A push lasts for a moment: wait for one.
      for (let look = 0; look < 100; look++) {
        const victims = kind === 'git' ? gitsOf(dirOf(agent)) : receivePacksOf(hub)
        const pid = pick(victims, random)
        if (pid !== undefined && killNow(pid)) return true
        await delay(10)
      }
      return false
    },
    async finish() {
      isFinishing = true
      writeFileSync(stopFile, '')
      // Who gives back as the others leave may not take it again itself: while something is open, all stay.
      for (;;) {
        const ended = options.agents.filter((agent) => children.get(agent)?.exitCode === 0)
        const isOpen = (await paths()).some((path) => path.startsWith('Needs_Action/'))
        if (!isOpen && ended.length === options.agents.length) return
        if (isOpen) for (const agent of ended) start(agent)
        await delay(200)
      }
    },
    paths,
    told: () => options.agents.flatMap((agent) => readTold(toldOf(agent))),
    git: (...args) => execFileSync('git', ['--git-dir', hub, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 }),
    log: (agent) => logs.get(agent) ?? '',
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

/** A hub as any tool would make one. */
function plainHub(zones: Zones): string {
  const dir = join(mkdtempSync(join(zones.root, 'hub-')), 'vault.git')
  execFileSync('git', ['init', '-q', '--bare', '--initial-branch=main', dir])
  return dir
}

function taskText(id: string): string {
  return `---
id: ${id}
schema: "1"
kind: EMAIL
domain: email
title: Task ${id.slice(-6)}
created: "2026-11-20T10:00:00Z"
generation: "0"
---
# Task ${id.slice(-6)}

The same few words in each of them.
`
}
