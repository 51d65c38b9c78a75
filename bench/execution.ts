import { readdirSync, readFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createTransport } from 'nodemailer'
import { GenericContainer } from 'testcontainers'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { parseLedgerLine } from '#core/ledger.ts'
import { vaultPath } from '#core/vault-path.ts'
import { makeDraft } from '#tests/support/executor.ts'
import { EXECUTOR, ended, makeExecutorHome, startExecutor } from '#tests/support/executor-process.ts'
import { presented, readTask } from '../demo/evidence.ts'
import { startMailContainer } from '../demo/mailbox/container.ts'
import { stopSignals } from '../demo/stop-signals.ts'
import { until } from '../demo/until.ts'
import { NODE_FLAGS } from '../demo/zone-processes.ts'
import { machine } from './machine.ts'
import { quantile, table } from './sync/statistics.ts'
import { memoryMb } from './sync/usage.ts'

// Measures the executor alone, on a real mail server: from the person's move of a file to Approved/ until SMTP had
// accepted the mail and the ledger said so, with no undo window; beside it, in turn with it, the same mail handed to the
// same server by nodemailer alone. Then what the executor holds in memory.

const { values } = parseArgs({
  options: {
    samples: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log('npm run bench:execution -- [--samples 200] [--json]\n\nNeeds Docker for the mail server and Redis.')
  process.exit(0)
}
const PENDING = 'Pending_Approval/email'
using stop = stopSignals()
const limits = { limitMs: 60_000, signal: stop.signal }

await using closing = new AsyncDisposableStack()
const mailbox = closing.use(await startMailContainer({ say: (line) => console.error(line) }))
const redis = await new GenericContainer('redis:8').withExposedPorts(6379).start()
closing.defer(async () => void (await redis.stop()))
const redisUrl = `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`
const { home, env } = closing.use(await makeExecutorHome({ mailbox, redisUrl, undoMs: 0 }))
const vault = await openVault(home.vault)
// As in the images: small heaps, collected often.
const running = await startExecutor(EXECUTOR, env, NODE_FLAGS)
closing.defer(async () => {
  running.child.kill('SIGTERM')
  await ended(running)
})

const executed: number[] = []
const bare: number[] = []
// The first of each warms caches up and does not count.
for (let sample = 0; sample <= Number(values.samples); sample++) {
  const ms = await execute(sample)
  const floor = await sendBare(sample)
  if (sample > 0) {
    executed.push(ms)
    bare.push(floor)
  }
  if (sample % 20 === 0) console.error(`${sample} of ${values.samples}: ${ms} ms, bare ${floor} ms`)
}
report()

async function execute(sample: number): Promise<number> {
  const { id, fileName, text } = makeDraft({ subject: `Re: sample ${sample}` })
  const path = vaultPath(`${PENDING}/${fileName}`)
  await vault.create(path, text)
  await until('the card', async () => presented(await readTask(join(home.vault, path))), limits)
  // The person reads; a pass that is still on its way ends.
  await delay(100 + Math.random() * 200, undefined, { signal: stop.signal })
  const approvedAt = Date.now()
  await rename(join(home.vault, path), join(home.vault, 'Approved', fileName))
  const doneAt = await until('the ledger’s word', () => doneTime(id), limits)
  await until('the file in Done/', async () => (await vault.find(fileName))?.startsWith('Done/'), limits)
  return doneAt - approvedAt
}

function doneTime(task: string): number | undefined {
  const folder = join(home.vault, 'Logs/local')
  const newest = readdirSync(folder).sort().at(-1) ?? ''
  const lines = readFileSync(join(folder, newest), 'utf8').split('\n').slice(-12)
  const entry = lines.map(parseLedgerLine).find((one) => one?.task === task && one.type === 'execution.done')
  return entry && Date.parse(entry.at)
}

/** A connection for each mail, as the executor makes one. */
async function sendBare(sample: number): Promise<number> {
  const { owner, client } = mailbox.accounts
  const startedAt = performance.now()
  const transport = createTransport({
    ...mailbox.smtp,
    ignoreTLS: true,
    auth: { user: owner.address, pass: owner.password },
  })
  await transport.sendMail({
    ...{ from: owner.address, to: client.address, subject: `Re: bare ${sample}` },
    text: 'Dear client,\n\nit is on its way.\n\nThe owner',
  })
  return Math.round(performance.now() - startedAt)
}

function report(): void {
  const memory = memoryMb([running.child.pid ?? 0])
  const where = `${machine()}, Node ${process.version}`
  if (values.json) {
    console.log(JSON.stringify({ machine: where, executed, bare, memory }))
    return
  }
  const row = (what: string, all: readonly number[]) => {
    const sorted = all.toSorted((a, b) => a - b)
    return [what, ...[0.5, 0.99, 0, 1].map((share) => `${quantile(sorted, share)} ms`)]
  }
  console.log(`${values.samples} mails one after the other; Postfix and Dovecot in a container; ${where}\n`)
  console.log(
    table(
      ['', 'p50', 'p99', 'min', 'max'],
      [row('moved to Approved/ → accepted by SMTP and in the ledger', executed), row('nodemailer alone', bare)],
    ),
  )
  console.log(`\nThe executor holds ${memory.rss} MB (RSS), ${memory.pss} MB of them its own share (PSS).`)
}
