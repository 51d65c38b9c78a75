import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs, promisify } from 'node:util'
import { parseTaskFile } from '#core/task-file.ts'
import { sendAsClient } from '../demo/client-mail.ts'
import { WORLD_PREFIX } from '../demo/reaper.ts'
import { REDIS_SOURCES, redisCommand } from '../demo/redis.ts'
import { scriptedModelSettings, startScriptedModel } from '../demo/scripted-model.ts'
import { stopSignals } from '../demo/stop-signals.ts'
import { openWorld, type World } from '../demo/world.ts'
import { DASHBOARDS } from '../grafana/source/dashboards.ts'
import { dashboardModel } from '../grafana/source/panels.ts'
import { machine } from './machine.ts'
import { type Answers, PAGE_WIDTH, pageOf } from './pictures/page.ts'
import { watchWorld } from './pictures/prometheus.ts'

// Takes a picture of every dashboard: both zones run, mails come and answers are approved, two services are killed on the
// way; a real Prometheus looks on and answers every panel's own question. Grafana is not run: the panels are drawn here,
// where its grid has them, as plain lines, and photographed by Chromium. Says which panels had nothing to show.

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '8' },
    out: { type: 'string', default: 'docs/pictures/dashboards.png' },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
    mailbox: { type: 'string', default: 'auto' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(
    'npm run bench:pictures -- [--minutes 8] [--out docs/pictures/dashboards.png] [--chromium PATH] [--mailbox auto|container|dev]\n\nNeeds Docker and Chromium.',
  )
  process.exit(0)
}
const MINUTES = Number(values.minutes)
const MAIL_EVERY_MS = 6_000
const KILLED = ['cloud/drafter', 'local/executor'] as const

using stop = stopSignals()
const models = DASHBOARDS.map(dashboardModel)
const { answers, empty } = await watchARun()
const about = `Countersign's dashboards: ${MINUTES} minutes of both zones on one machine (${machine()}), a mail every ${MAIL_EVERY_MS / 1000} s, ${KILLED.join(' and ')} killed once each. Prometheus's answers, drawn without Grafana.`
await photograph(resolve(values.out), pageOf(models, answers, about))
console.log(`${values.out}: ${Math.round((await stat(values.out)).size / 1024)} kB`)
console.log(
  `${answers.size - empty.length} of ${answers.size} panels had something to show; nothing: ${empty.join('; ') || '(none)'}`,
)

async function watchARun(): Promise<{ answers: Answers; empty: string[] }> {
  await using model = await startScriptedModel({ delayMs: 400 })
  await using world = await openWorld({
    root: await mkdtemp(join(tmpdir(), WORLD_PREFIX)),
    ...{ isTemporary: true, undoMs: 0, redis: REDIS_SOURCES, env: process.env, signal: stop.signal },
    mailbox: values.mailbox as 'auto' | 'container' | 'dev',
    say: (line) => console.error(line),
    // A model like others, dollars per million tokens in and out.
    cloudSettings: {
      ...scriptedModelSettings(model),
      ...{ COUNTERSIGN_MODEL_LARGE_PRICE: '3/15', COUNTERSIGN_MODEL_SMALL_PRICE: '0.8/4' },
    },
  })
  await world.startZone('cloud')
  await world.startZone('local')
  // As deploy/container/redis.conf says; the demo's Redis has no limit.
  for (const { redis } of Object.values(world.reach))
    await redisCommand(redis.port, redis.password, 'CONFIG SET maxmemory 64mb')
  await using prometheus = await watchWorld(world)
  const from = Date.now() / 1000 + 10
  await useIt(world)
  const to = Date.now() / 1000
  const answers: [Parameters<Answers['get']>[0], Awaited<ReturnType<typeof prometheus.now>>[]][] = []
  const empty: string[] = []
  for (const dashboard of models)
    for (const panel of dashboard.panels) {
      const targets = 'targets' in panel ? panel.targets : []
      const asked = targets.map(({ expr }) =>
        panel.type === 'stat' ? prometheus.now(expr) : prometheus.over(expr, from, to),
      )
      const found = await Promise.all(asked)
      answers.push([panel, found])
      if (!found.flat().some((series) => series.values.length > 0)) empty.push(`${dashboard.title}, ${panel.title}`)
    }
  return { answers: new Map(answers), empty }
}

/** Mails come, and their owner decides: most are approved, every seventh draft is rejected. */
async function useIt(world: World): Promise<void> {
  const { client, owner } = world.mailbox.accounts
  const way = { smtp: world.mailbox.smtp, imap: world.mailbox.imap, client }
  const end = performance.now() + MINUTES * 60_000
  const deciding = decide(world, end)
  for (let mail = 1; performance.now() < end - 2 * MAIL_EVERY_MS; mail++) {
    stop.signal.throwIfAborted()
    const subject = `Question number ${mail}`
    await sendAsClient(way, { to: owner.address, subject, text: 'Could we meet on Thursday at three?' })
    const [first, second] = KILLED
    if (mail === Math.floor((MINUTES * 60_000) / MAIL_EVERY_MS / 3)) await world.kill(first)
    if (mail === Math.floor((MINUTES * 60_000) / MAIL_EVERY_MS / 1.7)) await world.kill(second)
    await delay(MAIL_EVERY_MS)
  }
  await deciding
}

async function decide(world: World, end: number): Promise<void> {
  const { vault } = world.homes.local
  const folder = join(vault, 'Pending_Approval/email')
  for (let decided = 1; performance.now() < end && !stop.signal.aborted; await delay(500))
    for (const name of await readdir(folder).catch(() => [] as string[])) {
      const parsed = parseTaskFile(await readFile(join(folder, name), 'utf8').catch(() => ''))
      if (!parsed.ok || parsed.task.front.presented === undefined) continue
      const into = decided++ % 7 === 0 ? 'Rejected' : 'Approved'
      await rename(join(folder, name), join(vault, into, name)).catch(() => {}) // It was just replaced; the next look sees it.
    }
}

async function photograph(file: string, { html, height }: { html: string; height: number }): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-page-'))
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(join(folder, 'page.html'), html)
    const size = `--window-size=${PAGE_WIDTH},${Math.ceil(height)}`
    const args = [
      '--headless',
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--hide-scrollbars',
      '--disable-lcd-text',
      size,
    ]
    await promisify(execFile)(values.chromium, [...args, `--screenshot=${file}`, `file://${folder}/page.html`])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
