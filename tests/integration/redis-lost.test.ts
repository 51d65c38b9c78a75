import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { vaultPath } from '#core/vault-path.ts'
import { makeDraft, readLedger } from '#tests/support/executor.ts'
import {
  EXECUTOR,
  ended,
  makeExecutorHome,
  type RunningExecutor,
  startExecutor,
} from '#tests/support/executor-process.ts'
import { freePorts } from '../../demo/free-ports.ts'
import { startDevMailServers } from '../../demo/mailbox/dev-servers.ts'
import type { Mailbox } from '../../demo/mailbox/mailbox.ts'
import { type CountingSmtp, startCountingSmtp } from '../support/counting-smtp.ts'
import { docker, eventually } from '../support/mail.ts'

// The zone's Redis holds nothing that is needed: whatever becomes of it while approved tasks wait in their undo window,
// each is done once.
const PENDING = 'Pending_Approval/email'
const LIMIT_MS = 120_000
/** Long enough that the harm meets tasks that wait. */
const UNDO_MS = 1_500
const EACH_TIME = 3

let port: number
let redis: StartedTestContainer
let mailbox: Mailbox
let counting: CountingSmtp

beforeAll(async () => {
  mailbox = await startDevMailServers()
  ;[port = 0] = await freePorts(1)
})
beforeEach(async () => {
  counting = await startCountingSmtp()
  await startRedis()
})
afterEach(async () => {
  await counting[Symbol.asyncDispose]()
  await redis.stop().catch(() => {}) // removed already
})
afterAll(() => mailbox?.[Symbol.asyncDispose]())

/** On the same port as the one before; it knows nothing. */
async function startRedis(): Promise<void> {
  redis = await new GenericContainer('redis:8').withExposedPorts({ container: 6379, host: port }).start()
}

async function flush(): Promise<void> {
  const client = new Redis(`redis://127.0.0.1:${port}`)
  await client.flushall()
  client.disconnect()
}

interface Harm {
  readonly name: string
  strike(): Promise<unknown>
  /** Undoes what keeps Redis away; what it held stays lost. `pickedUp`: all that was approved was taken up. */
  heal(pickedUp: () => Promise<void>): Promise<unknown>
  /** The executor is killed as well, and started again while Redis is away. */
  readonly hitsExecutor?: true
}

const HARMS: readonly Harm[] = [
  {
    name: 'flushed twice',
    strike: flush,
    heal: async (pickedUp) => {
      await pickedUp()
      await flush()
    },
  },
  {
    name: 'killed and started again',
    strike: () => docker('kill', redis.getId()),
    heal: () => docker('start', redis.getId()),
  },
  { name: 'killed and its volume deleted', strike: () => docker('rm', '-f', '-v', redis.getId()), heal: startRedis },
  {
    name: 'killed with the executor and its volume deleted',
    strike: () => docker('rm', '-f', '-v', redis.getId()),
    heal: startRedis,
    hitsExecutor: true,
  },
]

test.each(HARMS.map((harm) => [harm.name, harm] as const))(
  'Redis is %s in the middle of approvals: each is executed once',
  async (_name, harm) => {
    await using closing = new AsyncDisposableStack()
    const redisUrl = `redis://127.0.0.1:${port}`
    const servers = { ...mailbox, smtp: counting.smtp }
    const { home, env } = closing.use(await makeExecutorHome({ mailbox: servers, redisUrl, undoMs: UNDO_MS }))
    const vault = await openVault(home.vault)
    mkdirSync(join(home.vault, 'Approved'))
    let running: RunningExecutor | undefined
    const start = async () => {
      running = await startExecutor(EXECUTOR, env)
    }
    closing.defer(async () => {
      running?.child.kill('SIGKILL')
      if (running) await ended(running)
    })
    const files: string[] = []
    const draft = async () => {
      const { fileName, text } = makeDraft({ subject: `Re: matter ${files.length}` })
      files.push(fileName)
      await vault.create(vaultPath(`${PENDING}/${fileName}`), text)
    }
    const isShown = async (fileName: string) =>
      (await vault.read(vaultPath(`${PENDING}/${fileName}`)))?.includes('countersign:card')
    const approve = (fileName: string) =>
      renameSync(join(home.vault, PENDING, fileName), join(home.vault, 'Approved', fileName))
    const isDone = async (fileName: string) => (await vault.find(fileName))?.startsWith('Done/')

    await start()
    for (let count = 0; count < 2 * EACH_TIME; count++) await draft()
    for (const fileName of files) await eventually(`${fileName} has a card`, () => isShown(fileName), LIMIT_MS)
    const [early, late] = [files.slice(0, EACH_TIME), files.slice(EACH_TIME)]
    early.forEach(approve)
    const pickedUp = (names: readonly string[]) => async () => {
      const isLeft = async (name: string) => vault.exists(vaultPath(`Approved/${name}`))
      for (const name of names) await eventually(`${name} is picked up`, async () => !(await isLeft(name)), LIMIT_MS)
    }
    await pickedUp(early)()
    await harm.strike()
    if (harm.hitsExecutor) {
      running?.child.kill('SIGKILL')
      await start()
    }
    late.forEach(approve)
    await harm.heal(pickedUp(late))
    const healedAt = performance.now()
    for (const fileName of files) await eventually(`${fileName} is done`, () => isDone(fileName), LIMIT_MS)
    console.log(`${harm.name}: everything was done ${Math.round(performance.now() - healedAt)} ms after Redis was back`)

    const subjects = counting.mails.map(({ raw }) => /^Subject: (.*?)\r?$/m.exec(raw)?.[1])
    expect(subjects.sort()).toEqual(files.map((_name, index) => `Re: matter ${index}`).sort())
    const ledger = readLedger({ vaultRoot: home.vault })
    expect(ledger.filter((type) => type === 'execution.done')).toHaveLength(files.length)
    await eventually('the executor is well', async () => (await fetch(`${running?.url}/readyz`)).ok, LIMIT_MS)
  },
  2 * LIMIT_MS,
)
