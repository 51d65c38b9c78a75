import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type ComposeZone, type ComposeZones, prepareZones } from '#tests/support/compose.ts'
import { sendAsClient } from '../demo/client-mail.ts'
import { scriptedModelSettings, startScriptedModel } from '../demo/scripted-model.ts'
import { stopSignals } from '../demo/stop-signals.ts'
import { until } from '../demo/until.ts'
import { machine } from './machine.ts'
import { countAtHub, countIn, timesDrafted, writeBacklog } from './scale/backlog.ts'
import { type Finding, report, type Window } from './scale/report.ts'
import {
  draftsByReplica,
  memoryOf,
  pidsOf,
  processorSeconds,
  SERVICES,
  type ServiceName,
  scaleTo,
  settingsOf,
} from './scale/zone.ts'
import { load } from './sync/usage.ts'

// Measures several drafters on one backlog, in the containers of compose.cloud.yml with the local zone off: a flood of tasks
// is claimed; then each number of drafters works on it for a while, first with a model that takes a second to answer, then
// with the template, which takes nothing but the processor; then the rest is drafted, as far as the time goes. Each window stands in the middle of
// the backlog, so that none runs dry. A draft counts when its file stands in Pending_Approval/ of the vault.

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '10000' },
    replicas: { type: 'string', default: '1,2,4,8' },
    'model-ms': { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '11.5' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(`npm run bench:scale -- [--tasks 10000] [--replicas 1,2,4,8] [--model-ms 1000] [--seconds 20] [--minutes 11.5] [--json]

Needs Linux and Docker with compose. Prints tables in Markdown; progress goes to stderr. Ctrl-C ends it and removes all.`)
  process.exit(0)
}
const [TASKS, MODEL_MS, SECONDS, MINUTES] = [values.tasks, values['model-ms'], values.seconds, values.minutes].map(
  Number,
) as [number, number, number, number]
const REPLICAS = values.replicas.split(',').map(Number)
/** After the drafters are ready, before a window is opened. */
const SETTLE_MS = 5_000
const SLICE_S = 5
const PENDING = 'Pending_Approval/email'
const CLAIMED = 'In_Progress/cloud'
using stop = stopSignals()
const startedAt = performance.now()
const say = (line: string) => console.error(`${since(startedAt).toFixed(0).padStart(4)} s  ${line}`)

const windows: Window[] = []
const findings: Finding[] = []
{
  await using model = await startScriptedModel({ delayMs: MODEL_MS, host: '0.0.0.0' })
  await using zones = await prepareZones()
  await measure(zones, model)
}
report(
  { windows, findings, machine: `${machine()}, Node ${process.version}`, tasks: TASKS, modelMs: MODEL_MS },
  values.json,
)

async function measure(zones: ComposeZones, model: Awaited<ReturnType<typeof startScriptedModel>>): Promise<void> {
  const { cloud } = zones
  const set = await settingsOf(cloud)
  const asked = scriptedModelSettings({ ...model, url: model.url.replace('127.0.0.1', 'host.docker.internal') })
  await set(asked)
  say('building and starting the cloud zone')
  await zones.up('cloud')
  await scaleTo(cloud, 0, stop.signal)
  await claimAll(cloud, zones.mail.accounts.owner.address)

  const slow = `a model that takes ${MODEL_MS} ms`
  for (const replicas of REPLICAS) windows.push(await measureWindow(cloud, { replicas, by: slow }))
  await scaleTo(cloud, 0, stop.signal)
  await set({ ...asked, COUNTERSIGN_DRAFTER_CONCURRENCY: '16' })
  windows.push(await measureWindow(cloud, { replicas: 1, by: `${slow}, 16 drafts at once` }))
  await passBy(zones)
  await scaleTo(cloud, 0, stop.signal)
  await set({})
  for (const replicas of REPLICAS) windows.push(await measureWindow(cloud, { replicas, by: 'the template' }))
  await draftTheRest(cloud)
}

/** The flood comes while no drafter is there: all of it is committed, claimed and announced first. */
async function claimAll(cloud: ComposeZone, owner: string): Promise<void> {
  const used = await startUse(cloud)
  writeBacklog(cloud.vault, TASKS, owner)
  say(`${TASKS} tasks written`)
  const beganAt = performance.now()
  let shownAt = beganAt
  await wait(`${TASKS} claims`, 600, () => {
    const claimed = countIn(cloud.vault, CLAIMED)
    if (since(shownAt) > 10) {
      say(`${claimed} claimed`)
      shownAt = performance.now()
    }
    return claimed >= TASKS
  })
  const seconds = since(beganAt)
  const { cores } = used(seconds)
  findings.push({
    what: `${TASKS} tasks claimed, committed and at the hub, without a drafter`,
    is: `${seconds.toFixed(1)} s (${(TASKS / seconds).toFixed(0)} a second); cores: sync ${cores.sync}, hub ${cores.hub}`,
  })
  say(`all claimed after ${seconds.toFixed(1)} s`)
}

async function measureWindow(
  cloud: ComposeZone,
  { replicas, by }: { readonly replicas: number; readonly by: string },
): Promise<Window> {
  const askedAt = performance.now()
  await scaleTo(cloud, replicas, stop.signal)
  const readyS = since(askedAt)
  const known = countIn(cloud.vault, PENDING)
  await wait('a first draft', 60, () => countIn(cloud.vault, PENDING) > known)
  await delay(SETTLE_MS, undefined, { signal: stop.signal })
  const before = await draftsByReplica(cloud)
  const used = await startUse(cloud)
  const from = { at: performance.now(), drafts: countIn(cloud.vault, PENDING) }
  const left = countIn(cloud.vault, CLAIMED)
  const slices: number[] = []
  for (let last = from.drafts, slice = 1; slice <= SECONDS / SLICE_S; slice++) {
    await delay(from.at + slice * SLICE_S * 1000 - performance.now(), undefined, { signal: stop.signal })
    const now = countIn(cloud.vault, PENDING)
    slices.push((now - last) / SLICE_S)
    last = now
  }
  const seconds = since(from.at)
  const drafts = countIn(cloud.vault, PENDING) - from.drafts
  const use = used(seconds)
  const behind = countIn(cloud.vault, PENDING) - (await countAtHub(hubOf(cloud), PENDING))
  const after = await draftsByReplica(cloud)
  const isDry = countIn(cloud.vault, CLAIMED) === 0
  const window: Window = {
    ...{ replicas, by, drafts, seconds, slices, readyS, left, behind, isDry, ...use },
    shares: after.map((one, index) => one - (before[index] ?? 0)).toSorted((a, b) => b - a),
    load: load(),
  }
  say(`${replicas} drafters, ${by}: ${(drafts / seconds).toFixed(1)} a second ${JSON.stringify(use.cores)}`)
  return window
}

/** Notes what each service has used; the answer tells what came since. */
async function startUse(cloud: ComposeZone) {
  const pids = new Map<ServiceName, number[]>()
  for (const service of SERVICES) pids.set(service, await pidsOf(cloud, service))
  const before = processorSeconds(pids)
  const own = process.cpuUsage()
  return (seconds: number) => {
    const after = processorSeconds(pids)
    const cores = Object.fromEntries(
      SERVICES.map((name) => [name, (((after.get(name) ?? 0) - (before.get(name) ?? 0)) / seconds).toFixed(2)]),
    ) as Record<ServiceName, string>
    const { user, system } = process.cpuUsage(own)
    return {
      cores: { ...cores, bench: ((user + system) / 1e6 / seconds).toFixed(2) },
      memoryMb: memoryOf(pids.get('drafter') ?? []),
      syncMb: memoryOf(pids.get('sync') ?? []),
    }
  }
}

/** A mail that comes while thousands wait. */
async function passBy({ cloud, mail }: ComposeZones): Promise<void> {
  const left = countIn(cloud.vault, CLAIMED)
  const client = mail.accounts.client
  await sendAsClient(
    { smtp: mail.smtp, imap: mail.imap, client },
    { to: mail.accounts.owner.address, subject: 'One more', text: 'Hello,\n\nare you there?\n\nClara' },
  )
  const sentAt = performance.now()
  await wait('the mail to be claimed', 120, () =>
    readdirSync(join(cloud.vault, CLAIMED)).some((name) => name.includes('_one-more_')),
  )
  findings.push({
    what: `a mail that comes while ${left} tasks wait: accepted by SMTP → claimed at the hub`,
    is: `${since(sentAt).toFixed(1)} s; its draft waits its turn`,
  })
}

async function draftTheRest(cloud: ComposeZone): Promise<void> {
  const [left, from] = [countIn(cloud.vault, CLAIMED), performance.now()]
  const isDone = await wait('the rest', restS(), () => countIn(cloud.vault, CLAIMED) === 0).catch((error: unknown) => {
    stop.signal.throwIfAborted()
    say(String(error))
    return false
  })
  const rest = countIn(cloud.vault, CLAIMED)
  const seconds = since(from)
  const rate = `${((left - rest) / seconds).toFixed(1)} a second`
  findings.push({
    what: `the last ${left - rest} drafts, ${REPLICAS.at(-1)} drafters with the template`,
    is: `${seconds.toFixed(0)} s (${rate})${isDone ? '' : `; ${rest} were left when the time was up`}`,
  })
  const toHub = performance.now()
  const drafts = countIn(cloud.vault, PENDING)
  if (isDone)
    await wait('the hub to have them all', 120, async () => (await countAtHub(hubOf(cloud), PENDING)) >= drafts)
  const times = [...timesDrafted(cloud.vault).values()]
  const files =
    countIn(cloud.vault, PENDING) + countIn(cloud.vault, CLAIMED) + countIn(cloud.vault, 'Needs_Action/email')
  findings.push({
    what: 'the hub has them all',
    is: isDone ? `${since(toHub).toFixed(1)} s after the last` : 'not waited for',
  })
  findings.push({
    what: `of ${TASKS + 1} tasks`,
    is: `${files} stand in the vault; ${times.length} were drafted, ${times.filter((one) => one > 1).length} of them more than once`,
  })
}

/** What is left of the time that the whole may take. */
function restS(): number {
  return Math.max(20, MINUTES * 60 - since(startedAt) - 30)
}

function hubOf(cloud: ComposeZone): string {
  return join(cloud.home, 'hub/vault.git')
}

function wait(what: string, limitS: number, look: () => boolean | Promise<boolean>): Promise<boolean> {
  const seldom = async () => {
    // Looking costs, too.
    await delay(200, undefined, { signal: stop.signal })
    return look()
  }
  return until(what, seldom, { limitMs: limitS * 1000, signal: stop.signal })
}

function since(at: number): number {
  return (performance.now() - at) / 1000
}
