import { mkdtemp, readdir, readFile, rename, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseLedgerLine } from '#core/ledger.ts'
import { parseTaskFile } from '#core/task-file.ts'
import { fileNameOf } from '#core/vault-path.ts'
import { sendAsClient } from '../demo/client-mail.ts'
import { WORLD_PREFIX } from '../demo/reaper.ts'
import { REDIS_SOURCES } from '../demo/redis.ts'
import { stopSignals } from '../demo/stop-signals.ts'
import { until } from '../demo/until.ts'
import { openWorld, type World } from '../demo/world.ts'
import { hubHas } from './hub-has.ts'
import { machine } from './machine.ts'

// Measures the story's three stretches mail by mail on this machine, both zones in one go, with the template drafter and
// no undo window; then what each service holds in memory. Every mark is taken outside the services: when the SMTP server
// accepted the mail, when the hub's branch has the draft, when the local vault has the file, when the ledger tells that
// SMTP accepted the answer.

const { values } = parseArgs({
  options: {
    mails: { type: 'string', default: '20' },
    mailbox: { type: 'string', default: 'auto' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log('bench/story [--mails 20] [--mailbox auto|container|dev] [--json]')
  process.exit(0)
}

const LIMIT = 60_000
using stop = stopSignals()
const limits = { limitMs: LIMIT, signal: stop.signal }

interface Sample {
  readonly draftMs: number
  readonly visibleMs: number
  readonly executedMs: number
}

await using world = await openWorld({
  root: await mkdtemp(join(tmpdir(), WORLD_PREFIX)),
  isTemporary: true,
  undoMs: 0,
  redis: REDIS_SOURCES,
  mailbox: values.mailbox as 'auto' | 'container' | 'dev',
  env: process.env,
  say: (line) => console.error(line),
  signal: stop.signal,
})
await world.startZone('cloud')
await world.startZone('local')
const samples: Sample[] = []
// The first mail warms caches and connections up and does not count.
for (let mail = 0; mail <= Number(values.mails); mail++) {
  const sample = await measure(world, mail)
  if (mail > 0) samples.push(sample)
  console.error(`mail ${mail}: ${JSON.stringify(sample)}`)
}
report(samples, await memory(world))

async function measure(into: World, mail: number): Promise<Sample> {
  const { client, owner } = into.mailbox.accounts
  const subject = `Invoice number ${mail}`
  const messageId = await sendAsClient(
    { smtp: into.mailbox.smtp, imap: into.mailbox.imap, client },
    { to: owner.address, subject, text: 'Could you send it again, please?' },
  )
  const acceptedAt = Date.now()
  const drafted = await hubHas(into.hub, 'Pending_Approval', `invoice-number-${mail}_`, LIMIT)
  const draftedAt = Date.now()
  const file = fileNameOf(drafted)
  const path = join(into.homes.local.vault, 'Pending_Approval', drafted)
  const visibleAt = Math.round(await appeared(path))
  await until('the card', async () => isPresented(path, messageId), limits)
  const approvedAt = Date.now()
  await rename(path, join(into.homes.local.vault, 'Approved', file))
  const doneAt = await until('the ledger to tell of it', () => executedAt(into, file), limits)
  return {
    draftMs: draftedAt - acceptedAt,
    visibleMs: Math.max(0, visibleAt - draftedAt),
    executedMs: doneAt - approvedAt,
  }
}

/** When a file came to be, ms since the epoch: the inode's birth. */
async function appeared(path: string): Promise<number> {
  const found = await until(`${path}`, () => stat(path).catch(() => undefined), limits)
  return found.birthtimeMs
}

async function isPresented(path: string, messageId: string): Promise<boolean> {
  const parsed = parseTaskFile(await readFile(path, 'utf8'))
  return parsed.ok && parsed.task.front.presented !== undefined && parsed.task.front.source?.message_id === messageId
}

async function executedAt(into: World, file: string): Promise<number | undefined> {
  const shortId = file.slice(-9, -3).toUpperCase()
  const folder = join(into.homes.local.vault, 'Logs/local')
  for (const day of await readdir(folder)) {
    const lines = (await readFile(join(folder, day), 'utf8')).trimEnd().split('\n')
    const entry = lines
      .map(parseLedgerLine)
      .findLast((one) => one?.type === 'execution.done' && one.task?.endsWith(shortId))
    if (entry) return Date.parse(entry.at)
  }
  return undefined
}

/** Megabytes by service: resident (RSS), and with shared pages divided among those who share them (PSS). */
async function memory(into: World): Promise<Record<string, { rss: number; pss: number }>> {
  const rows: Record<string, { rss: number; pss: number }> = {}
  for (const { name, pid } of into.supervisor.state()) {
    if (!pid || name.endsWith('redis')) continue
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
    const megabytes = (line: RegExp) => Math.round(Number(line.exec(rollup)?.[1] ?? 0) / 1024)
    rows[name] = { rss: megabytes(/^Rss:\s+(\d+) kB/m), pss: megabytes(/^Pss:\s+(\d+) kB/m) }
  }
  return rows
}

function report(all: readonly Sample[], memoryMb: Record<string, { rss: number; pss: number }>): void {
  const where = `${machine()}, Node ${process.version}`
  const stretches = {
    'mail accepted → draft at the hub': all.map((one) => one.draftMs),
    'draft at the hub → in the local vault': all.map((one) => one.visibleMs),
    'approved → accepted by SMTP and in the ledger': all.map((one) => one.executedMs),
  }
  if (values.json) {
    console.log(JSON.stringify({ machine: where, facts: world.facts, mails: all.length, stretches, memoryMb }))
    return
  }
  console.log(`${all.length} mails one after the other; ${where}; ${world.facts.join('; ')}\n`)
  console.log('| stretch | median | p95 | min to max |\n|---|---|---|---|')
  for (const [name, list] of Object.entries(stretches)) {
    const sorted = list.toSorted((a, b) => a - b)
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
    console.log(`| ${name} | ${at(0.5)} ms | ${at(0.95)} ms | ${sorted[0]} to ${sorted.at(-1)} ms |`)
  }
  console.log('\n| service, run from its sources | resident (RSS) | proportional (PSS) |\n|---|---|---|')
  for (const [name, { rss, pss }] of Object.entries(memoryMb)) console.log(`| ${name} | ${rss} MB | ${pss} MB |`)
}
