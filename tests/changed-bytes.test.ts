import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import PostalMime from 'postal-mime'
import { expect, test } from 'vitest'
import { code } from '#core/card-text.ts'
import { makeTaskId } from '#core/ids.ts'
import { parseTaskFile, section } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import { type ExecutorHome, makeHome, START, tick } from '#tests/support/executor.ts'

// One byte of an approved file is changed, left out or doubled, at each position, at each moment at which somebody could
// do it: nothing is sent, before the person has seen the changed file and approved that one; and then just what its card
// shows. COUNTERSIGN_TEST_EVERY_BYTE=1 takes every position, else one in so many.
const isThorough = Boolean(process.env.COUNTERSIGN_TEST_EVERY_BYTE)
const ONE_IN = isThorough ? 1 : 19
const UNDO_MS = 60_000
const PENDING = 'Pending_Approval/email'
/** In one vault at the same time. */
const BATCH = 40

const CHANGES = {
  changed: (byte: number) => [byte ^ 1],
  // [X] is as good a tick as [x].
  'changed in case': (byte: number) => [byte === 0x78 ? 0x79 : byte ^ 0x20],
  'made invalid': (byte: number) => [byte | 0x80],
  'left out': () => [],
  doubled: (byte: number) => [byte, byte],
} satisfies Record<string, (byte: number) => number[]>
type Change = keyof typeof CHANGES

/** When the byte is changed: as the person moves the file, as they tick the box, or in the undo window. */
const MOMENTS = ['moved', 'ticked', 'undo window'] as const
type Moment = (typeof MOMENTS)[number]

interface Mutation {
  readonly at: number
  readonly change: Change
}

interface Approved {
  readonly fileName: string
  readonly what: string
}

test.each(MOMENTS.map((moment) => [moment]))(
  'a byte changed in an approved file (%s) sends nothing until the person has approved the file as it is then',
  async (moment) => {
    const length = await lengthOfCard()
    const mutations = mutationsOf(length, MOMENTS.indexOf(moment))
    let sent = 0
    for (let from = 0; from < mutations.length; from += BATCH)
      sent += await play(moment, mutations.slice(from, from + BATCH))
    console.log(`${moment}: ${mutations.length} changes of ${length} bytes; ${sent} new cards were approved and sent`)
    expect(sent).toBeGreaterThan(0)
  },
  isThorough ? 3_600_000 : 120_000,
)

function mutationsOf(length: number, offset: number): Mutation[] {
  const changes = Object.keys(CHANGES) as Change[]
  const positions = Array.from({ length }, (_, at) => at)
  if (isThorough) return positions.flatMap((at) => changes.map((change) => ({ at, change })))
  const chosen = positions.filter((at) => (at + offset) % ONE_IN === 0)
  return chosen.map((at, index) => ({ at, change: changes[index % changes.length] as Change }))
}

/** Gives how many were sent after their new card was approved. */
async function play(moment: Moment, mutations: readonly Mutation[]): Promise<number> {
  await using home = await makeHome()
  await using executor = await home.start(undefined, { undoMs: UNDO_MS })
  const pass = async () => {
    await executor.pass()
    home.now += 2 * UNDO_MS
    await executor.pass()
    await executor.pass()
  }
  const approved: Approved[] = []
  const put = await Promise.all(mutations.map((one) => home.put(PENDING, { id: idOf(one) })))
  await executor.pass()
  for (const [index, { fileName }] of put.entries()) {
    const mutation = mutations[index] as Mutation
    if (moment === 'undo window') approve(home, fileName)
    else mutate(home, `${PENDING}/${fileName}`, mutation, moment === 'ticked' ? tick('Approve') : undefined)
    if (moment === 'moved') approve(home, fileName)
    approved.push({ fileName, what: `${mutation.change} at ${mutation.at}` })
  }
  if (moment === 'undo window') {
    await executor.pass()
    for (const [index, { fileName }] of put.entries())
      mutate(home, `In_Progress/local/${fileName}`, mutations[index] as Mutation)
  }
  await pass()
  expect(home.mail.delivered).toEqual([])

  // The person reads the new cards, and approves them all.
  const shown = new Map<string, { text: string; what: string }>()
  for (const { fileName, what } of approved) {
    const path = await home.vault.find(fileName)
    expect(path, what).toBeDefined()
    if (!path?.startsWith('Pending_Approval/')) continue
    const text = readFileSync(join(home.vaultRoot, path), 'utf8')
    const parsed = parseTaskFile(text)
    if (!parsed.ok || section(parsed.task, 'card') === undefined) continue
    shown.set(parsed.task.front.id, { text, what })
    await home.vault.replace(vaultPath(path), tick('Approve')(text))
  }
  await pass()
  for (const raw of home.mail.delivered) {
    const mail = await PostalMime.parse(raw)
    const id = mail.messageId?.slice(1).split('.')[0] ?? ''
    const card = shown.get(id)
    expect(card, raw).toBeDefined()
    expectShown(mail, card?.text ?? '', card?.what ?? '')
    shown.delete(id)
  }
  return home.mail.delivered.length
}

/** Every word of the mail stands in the file that was approved, and nothing more stood in its draft. */
function expectShown(mail: Awaited<ReturnType<typeof PostalMime.parse>>, text: string, what: string): void {
  const parsed = parseTaskFile(text)
  if (!parsed.ok) throw new Error(parsed.problem)
  const card = section(parsed.task, 'card') ?? ''
  const rows = [
    `| To | ${mail.to?.map(({ address }) => code(address ?? '')).join(', ')} |`,
    `| Subject | ${code(mail.subject ?? '')} |`,
    mail.inReplyTo ? `answers ${code(mail.inReplyTo)} |` : '| Thread | ',
    `sent from ${code(mail.from?.address ?? '')} |`,
  ]
  expect(
    rows.filter((row) => !card.includes(row)),
    `${what}\n${card}`,
  ).toEqual([])
  expect(mail.text?.trim(), what).toBe(section(parsed.task, 'draft')?.trim())
}

function mutate(home: ExecutorHome, path: string, { at, change }: Mutation, decide = (text: string) => text): void {
  const file = join(home.vaultRoot, path)
  const decided = Buffer.from(decide(readFileSync(file, 'utf8')))
  const changed = CHANGES[change](decided[at] as number)
  writeFileSync(file, Buffer.concat([decided.subarray(0, at), Buffer.from(changed), decided.subarray(at + 1)]))
}

function approve(home: ExecutorHome, fileName: string): void {
  mkdirSync(join(home.vaultRoot, 'Approved'), { recursive: true })
  renameSync(join(home.vaultRoot, PENDING, fileName), join(home.vaultRoot, 'Approved', fileName))
}

/** Ids far from each other: one changed letter of one is not another. */
function idOf({ at, change }: Mutation) {
  return makeTaskId(START, createHash('sha256').update(`${change} ${at}`).digest().subarray(0, 10))
}

async function lengthOfCard(): Promise<number> {
  await using home = await makeHome()
  await using executor = await home.start()
  const { path } = await home.put(PENDING)
  await executor.pass()
  return Buffer.byteLength((await home.vault.read(path)) ?? '')
}
