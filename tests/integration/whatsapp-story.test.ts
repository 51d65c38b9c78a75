import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { readPrivateKey } from '#adapters/keys/zone-keys.ts'
import { connectInProcess } from '#adapters/mcp/in-process-client.ts'
import { openSeenMail } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { skillFolders } from '#adapters/skills/skill-folder.ts'
import { claimedBy } from '#core/claim.ts'
import type { Channel } from '#core/ports/channel.ts'
import { parseTaskFile, renderTaskFile, section } from '#core/task-file.ts'
import { fileNameOf, taskPath, type VaultPath, vaultPath } from '#core/vault-path.ts'
import { createWhatsAppServer } from '#mcp/whatsapp/server.ts'
import { sendMessage } from '#mcp/whatsapp/tools/send-message.ts'
import { draftWhatsApp } from '#services/drafter/draft-whatsapp.ts'
import { findClaimed } from '#services/drafter/hand-in.ts'
import { replyDrafter } from '#services/drafter/reply-drafter.ts'
import type { ExecutorDeps } from '#services/executor/deps.ts'
import { onePass } from '#services/executor/run-executor.ts'
import { messageTaker } from '#services/executor/take-messages.ts'
import { whatsappChannel } from '#services/executor/whatsapp-channel.ts'
import { actingWith, TOOL_LIMIT_MS } from '#services/executor/wire-executor.ts'
import { type Executor, type ExecutorHome, makeHome, readLedger, readTaskAt, whereIs } from '#tests/support/executor.ts'
import { CHROMIUM, makeWhatsAppHome, until, type WhatsAppHome } from '#tests/support/whatsapp/service.ts'
import { ANNA, type StandIn, startStandIn } from '#tests/support/whatsapp/stand-in.ts'

// A message on WhatsApp becomes a task, is drafted, approved, sent once and done: the real service with the real client in a real
// Chromium, and the executor's own passes, which die where a test wants them to.

const hasChromium = existsSync(CHROMIUM)
if (!hasChromium && process.env.CI) throw new Error('the tests of WhatsApp need /usr/bin/chromium')
beforeEach((context) => {
  if (!hasChromium) context.skip()
})

let standIn: StandIn
let wa: WhatsAppHome
let home: ExecutorHome
let executor: Executor
let deps: ExecutorDeps
let take: () => Promise<void>
/** What stands between the channel and the tool. */
let between: (call: () => Promise<unknown>) => Promise<unknown>
const closing: (AsyncDisposable | Disposable)[] = []

beforeAll(async () => {
  if (!hasChromium) return
  standIn = await startStandIn()
  standIn.isLinked = true
  wa = await makeWhatsAppHome(standIn)
  await wa.start()
  await wa.remote.login()
  await wa.state('ready')
}, 60_000)
afterAll(async () => {
  await wa?.[Symbol.asyncDispose]()
  await standIn?.[Symbol.asyncDispose]()
})

beforeEach(async () => {
  home = await makeHome(await readPrivateKey(join(wa.keys, 'countersign.pem')))
  home.bornAt = Date.now() - 86_400_000
  between = (call) => call()
  await begin()
  standIn.isMute = false
})
afterEach(async () => {
  for (const one of closing.splice(0).reverse())
    await (Symbol.asyncDispose in one ? one[Symbol.asyncDispose]() : one[Symbol.dispose]())
  await home[Symbol.asyncDispose]()
})

/** A new executor on the same home, as after a crash. */
async function begin(): Promise<void> {
  home.now = Date.now()
  executor = await home.start()
  const { journal, log } = executor.deps
  const clock = { now: () => Date.now() }
  const tool = sendMessage({
    ...actingWith({ journal, clock, signingKey: home.key }),
    send: (action, { receipt }) => wa.remote.send(action, receipt),
  })
  const client = await connectInProcess(createWhatsAppServer([tool]))
  const seen = openSeenMail(join(home.folder, 'state/whatsapp-taken.sqlite'))
  closing.push(executor, client, seen)
  // What earlier tests wrote is no business of this one.
  const { epoch, newest } = await wa.remote.status()
  if (seen.highWater('whatsapp', epoch) === undefined)
    seen.raiseHighWater('whatsapp', { epoch, mark: String(newest) }, Date.now())
  const channel: Channel = whatsappChannel({
    ...{ whatsapp: wa.remote, clock, log },
    call: (action, receipt) => between(() => client.call('send_message', { action, receipt }, TOOL_LIMIT_MS)),
  })
  deps = {
    ...executor.deps,
    clock,
    channels: [executor.email, channel],
    limits: { ...executor.deps.limits, whatsapp: { chats: 'all-people' } },
    lookUpGraceMs: 300,
  }
  take = messageTaker({ ...deps, whatsapp: wa.remote, seen, quietMs: 0, maxWaitMs: 0 })
}
const pass = () => onePass(deps, { agents: ['local'], config: { reconcileMs: 1_000, state: home.folder } })
const NEEDS = 'Needs_Action/whatsapp'
const PENDING = 'Pending_Approval/whatsapp'

/** As sync claims a task that is kept for local. */
async function claim(path: VaultPath): Promise<VaultPath> {
  const parsed = parseTaskFile((await home.vault.read(path)) ?? '')
  if (!parsed.ok) throw new Error(parsed.problem)
  const claimed = taskPath({ kind: 'in-progress', agent: 'local' }, fileNameOf(path))
  await home.vault.replace(path, renderTaskFile(claimedBy(parsed.task, 'local', new Date().toISOString())))
  await home.vault.move(path, claimed)
  return claimed
}

async function draft(path: VaultPath): Promise<string> {
  const { front } = await readTaskAt(home, path)
  const claimed = await findClaimed({ taskId: front.id, generation: front.generation }, deps)
  if (!claimed) throw new Error('not claimed')
  const openSkill = skillFolders(join(import.meta.dirname, '../../skills')).open
  const write = replyDrafter({ openSkill, skillName: 'local-whatsapp', ownerName: 'O.', recognizeLanguage: () => 'en' })
  return (await draftWhatsApp(claimed, { ...deps, write, ownerName: 'O.', expiresAfterMs: 86_400_000 })).kind
}

/** Anna writes; what becomes of it waits for the person. */
async function asked(body: string): Promise<{ fileName: string; path: VaultPath }> {
  // WhatsApp's times are whole seconds: what an earlier test wrote is of an earlier one.
  const last = standIn.messages.at(-1)?.t ?? 0
  await until('the next second', () => Date.now() / 1000 >= last + 1)
  standIn.say(ANNA, body)
  await until('the task', async () => {
    await take()
    return (await home.vault.list(NEEDS)).length > 0
  })
  const [path = vaultPath('Dashboard.md')] = await home.vault.list(NEEDS)
  expect(await draft(await claim(path))).toBe('drafted')
  await pass()
  const fileName = fileNameOf(path)
  return { fileName, path: vaultPath(`${PENDING}/${fileName}`) }
}
const approve = (fileName: string) =>
  home.vault.move(vaultPath(`${PENDING}/${fileName}`), vaultPath(`Approved/${fileName}`))
const paced = () => until('the pace', async () => (await wa.remote.status()).next_send_at <= Date.now())
const sentTo = (since: number) => standIn.sent.slice(since).map(({ chat, body }) => [chat, body])
const isDone = async (fileName: string) => (await whereIs(home, fileName))?.startsWith('Done/') ?? false
const passes = (fileName: string) =>
  until(`Done/; it stands in ${fileName}`, async () => {
    await pass()
    return isDone(fileName)
  })

test('a message becomes a task, its answer is approved and sent once, and the task is done', async () => {
  const before = standIn.sent.length
  const { fileName, path } = await asked('Hello! Do you have time on Monday? <img src=x> [[x]]')
  const task = await readTaskAt(home, path)
  expect(task.front).toMatchObject({
    domain: 'whatsapp',
    drafted: { model: 'template' },
    risk: ['whatsapp-no-contact'],
  })
  const card = section(task, 'card') ?? ''
  expect(card).toContain('one WhatsApp message is sent to one person')
  expect(card).toContain('`+4915123456789`')
  expect(card).toContain('they chose it themselves')
  expect(section(task, 'original')).toContain('Do you have time on Monday?')
  await pass()
  expect(standIn.sent).toHaveLength(before)
  await paced()
  await approve(fileName)
  await passes(fileName)
  await pass()
  expect(sentTo(before)).toEqual([[ANNA, 'Hi Anna, thanks for your message. I have seen it and will get back to you.']])
  const done = await readTaskAt(home, (await home.vault.find(fileName)) ?? '')
  expect(done.front.outcome).toMatchObject({ status: 'done', reason: expect.stringContaining('WhatsApp has it') })
  expect(readLedger(home)).toEqual(expect.arrayContaining(['task.created', 'execution.intended', 'execution.done']))
})

test.each<[string, (call: () => Promise<unknown>) => Promise<unknown>]>([
  ['before the tool is called', async () => Promise.reject(new Error('crash'))],
  [
    'after the message has gone, before its answer is written down',
    async (call) => {
      await call()
      throw new Error('crash')
    },
  ],
  [
    'while the service is killed as the message leaves',
    async (call) => {
      const sent = standIn.sent.length
      const answer = call()
      answer.catch(() => {})
      await until('the message to leave', () => standIn.sent.length > sent)
      await wa.stop('SIGKILL')
      return answer
    },
  ],
])('an executor that dies %s sends once', async (_when, dies) => {
  const before = standIn.sent.length
  const { fileName } = await asked(`Is it you? ${before}`)
  await paced()
  await approve(fileName)
  between = dies
  await pass()
  await pass()
  between = (call) => call()
  for (const one of closing.splice(0).reverse())
    await (Symbol.asyncDispose in one ? one[Symbol.asyncDispose]() : one[Symbol.dispose]())
  if (
    await wa.remote.status().then(
      () => false,
      () => true,
    )
  )
    await wa.start()
  await begin()
  await wa.state('ready')
  await passes(fileName)
  expect(sentTo(before)).toHaveLength(1)
})

test('a message that WhatsApp’s server does not confirm waits, is not sent again, and is done once it has left', async () => {
  const before = standIn.sent.length
  const { fileName } = await asked('Are you well?')
  await paced()
  standIn.isMute = true
  await approve(fileName)
  await pass()
  await pass()
  await pass()
  const answers = deps.journal.intentsIn('done').map(({ answer }) => answer)
  expect([await whereIs(home, fileName), answers]).toEqual(['In_Progress/local', []])
  expect(sentTo(before)).toHaveLength(1)
  standIn.confirm(standIn.sent.at(-1)?.key ?? '', 1)
  await passes(fileName)
  expect(sentTo(before)).toHaveLength(1)
})

test.each<[string, RegExp, (asked: StandIn['messages'][number]) => void]>([
  ['wrote again', /wrote again/, () => void standIn.say(ANNA, 'Or on Tuesday?')],
  ['changed the message', /changed a message/, (message) => standIn.edit(message, 'On Friday?')],
  ['deleted the message', /deleted a message/, (message) => standIn.revoke(message)],
  [
    'was answered by hand',
    /answered in this chat yourself/,
    () => void standIn.write(ANNA, 'Yes', { t: Math.floor(Date.now() / 1000) + 2 }),
  ],
])('nothing is sent when the writer %s after the draft was made: the card comes back', async (_what, says, change) => {
  const before = standIn.sent.length
  const { fileName, path } = await asked('On Thursday?')
  await paced()
  change(standIn.messages.at(-1) as StandIn['messages'][number])
  await standIn.settled()
  await approve(fileName)
  await pass()
  await pass()
  expect(standIn.sent).toHaveLength(before)
  expect(section(await readTaskAt(home, path), 'card')).toMatch(says)
})

test('what is written, changed or deleted before the answer joins the open task, which is drafted anew', async () => {
  const { fileName, path } = await asked('Is it open?')
  const first = standIn.messages.at(-1) as StandIn['messages'][number]
  standIn.edit(first, 'Is it open on Sunday?')
  await until('the change to be taken', async () => {
    await take()
    return (await home.vault.list(NEEDS)).length > 0
  })
  const [joining = path] = await home.vault.list(NEEDS)
  expect((await readTaskAt(home, joining)).front).toMatchObject({
    joins: (await readTaskAt(home, path)).front.id,
    for: 'local',
  })
  const waits = await claim(joining)
  const { front } = await readTaskAt(home, waits)
  const claimed = await findClaimed({ taskId: front.id, generation: front.generation }, deps)
  const write = () => Promise.reject(new Error('drafted'))
  if (claimed)
    expect(await draftWhatsApp(claimed, { ...deps, write, ownerName: '', expiresAfterMs: 1 })).toEqual({ kind: 'left' })
  await pass()
  expect(await whereIs(home, fileName)).toBe(NEEDS)
  expect(await isDone(fileNameOf(joining))).toBe(true)
  const original = section(await readTaskAt(home, `${NEEDS}/${fileName}`), 'original') ?? ''
  expect(original).toContain('Is it open on Sunday?')
  expect(original).toContain('they changed it after they had sent it')
  expect(original).not.toContain('no part of this thread')
})
