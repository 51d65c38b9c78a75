import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder, unpackPackages } from '../../demo/debian-packages.ts'
import { freePorts } from '../../demo/free-ports.ts'
import { until } from '../../demo/until.ts'
import type { Lab } from './lab.ts'

// The peer: two instances on loopback, without discovery, relays or any rescan in between. It keeps no history that both
// sides share, checks no signature and no ownership, and claims nothing.

const run = promisify(execFile)
const KEY = 'bench'
const SETTLE_LIMIT_MS = 300_000
/** The shortest that this version takes: whole seconds. */
const WATCH_DELAY_S = 1

export interface Syncthing {
  readonly file: string
  readonly label: string
}

/** The installed program, or the system's package unpacked into our cache; undefined when neither can be had. */
export async function findSyncthing(say: (line: string) => void): Promise<Syncthing | undefined> {
  const cache = cacheFolder(process.env, 'syncthing')
  const unpacked = join(cache, 'root/usr/bin/syncthing')
  const found = (await usable('syncthing')) ?? (await usable(unpacked))
  if (found) return found
  say(`Unpacking the system's syncthing package into ${cache} (once; nothing is installed).`)
  await unpackPackages(cache, ['syncthing'], []).catch(() => {}) // told by the row that is missing
  return usable(unpacked)
}

async function usable(file: string): Promise<Syncthing | undefined> {
  try {
    const { stdout } = await run(file, ['--version'])
    const version = /v\d\S*?(?=[-~ ])/.exec(stdout)?.[0] ?? ''
    return { file, label: `syncthing ${version}, watcher delay ${WATCH_DELAY_S} s` }
  } catch {
    return undefined
  }
}

interface Instance {
  readonly name: string
  readonly home: string
  readonly vault: string
  readonly id: string
  readonly port: number
  readonly api: number
}

export interface SyncthingPair extends AsyncDisposable {
  readonly vaults: readonly [string, string]
}

/** Both instances hold a copy of `vault` and agree on it when this resolves. */
export async function syncthingPair(
  lab: Lab,
  { file }: Syncthing,
  vault: string,
  root: string,
): Promise<SyncthingPair> {
  await using opening = new AsyncDisposableStack()
  mkdirSync(root)
  opening.defer(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }))
  const ports = await freePorts(4)
  const pair = await Promise.all(['a', 'b'].map((name, at) => prepare(lab, file, { name, vault, root, ports, at })))
  const [a, b] = pair as [Instance, Instance]
  for (const one of pair) {
    writeFileSync(join(one.home, 'config.xml'), configuration(one, a, b))
    const name = `syncthing/${one.name}`
    opening.defer(() => lab.supervisor.stop(name))
    await lab.supervisor.start({
      ...{ name, tier: 1, drainMs: 10_000, logFile: join(root, `${one.name}.log`) },
      command: file,
      args: ['serve', `--home=${one.home}`, '--no-browser', '--no-restart', '--no-upgrade'],
      env: lab.env,
    })
  }
  const limits = { limitMs: SETTLE_LIMIT_MS, signal: lab.signal }
  const isEven = async () => (await isSettled(a, b)) && (await isSettled(b, a))
  await until('both syncthings to agree', isEven, limits)
  const resources = opening.move()
  return { vaults: [a.vault, b.vault], [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

async function prepare(
  { env }: Lab,
  file: string,
  plan: { name: string; vault: string; root: string; ports: readonly number[]; at: number },
): Promise<Instance> {
  const home = join(plan.root, `home-${plan.name}`)
  const vault = join(plan.root, `vault-${plan.name}`)
  cpSync(plan.vault, vault, { recursive: true, preserveTimestamps: true })
  mkdirSync(join(vault, '.stfolder'))
  await run(file, ['generate', `--home=${home}`, '--no-default-folder'], { env })
  const { stdout } = await run(file, [`--home=${home}`, '--device-id'], { env })
  const [port = 0, api = 0] = plan.ports.slice(plan.at * 2)
  return { name: plan.name, home, vault, id: stdout.trim(), port, api }
}

async function isSettled(one: Instance, other: Instance): Promise<boolean> {
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${one.api}/rest/db/${path}`, { headers: { 'X-API-Key': KEY } })
    return (await answer.json()) as Record<string, unknown>
  }
  const status = await ask('status?folder=vault')
  const completion = await ask(`completion?folder=vault&device=${other.id}`)
  const isOwnDone = status.state === 'idle' && status.needTotalItems === 0 && Number(status.globalFiles) > 0
  return isOwnDone && completion.completion === 100
}

function configuration(own: Instance, a: Instance, b: Instance): string {
  const devices = [a, b].map((one) => `<device id="${one.id}"><address>tcp://127.0.0.1:${one.port}</address></device>`)
  const folder = `<folder id="vault" path="${own.vault}" type="sendreceive" rescanIntervalS="86400"
  fsWatcherEnabled="true" fsWatcherDelayS="${WATCH_DELAY_S}"><device id="${a.id}"/><device id="${b.id}"/></folder>`
  const off = ['globalAnnounceEnabled', 'localAnnounceEnabled', 'relaysEnabled', 'natEnabled', 'crashReportingEnabled']
  return `<configuration version="36">
${folder}
${devices.join('\n')}
<gui enabled="true"><address>127.0.0.1:${own.api}</address><apikey>${KEY}</apikey></gui>
<options>
<listenAddress>tcp://127.0.0.1:${own.port}</listenAddress>
${off.map((name) => `<${name}>false</${name}>`).join('\n')}
<urAccepted>-1</urAccepted><autoUpgradeIntervalH>0</autoUpgradeIntervalH><startBrowser>false</startBrowser>
</options>
</configuration>
`
}
