import { createPrivateKey, createPublicKey } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { audienceOf, signReceipt } from '#core/countersignature.ts'
import { makeTaskId, type TaskId } from '#core/ids.ts'
import { signCheckpoint } from '#core/ledger.ts'
import { newTaskFile, renderTaskFile } from '#core/task-file.ts'
import { taskFileName } from '#core/vault-path.ts'
import { verifyLedgers } from './audit.ts'
import { initZone } from './init/init-zone.ts'
import type { ZoneHome } from './zone-home.ts'

/** A cloud home whose ledger has three entries and a signed checkpoint. */
async function homeWithLedger(): Promise<{ home: ZoneHome; file: string }> {
  const root = await mkdtemp(join(tmpdir(), 'audit-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const { home } = await initZone({ root, zone: 'cloud', settings: {}, secrets: {} })
  using ledger = openLedger({ vaultRoot: home.vault, stateDir: home.state, agent: 'cloud', clock: Date })
  for (const uid of ['1', '2']) await ledger.append('mail.skipped', { data: { uid } })
  const head = await ledger.append('mail.skipped', { data: { uid: '3' } })
  const key = createPrivateKey(await readFile(join(home.keys, 'ledger.pem')))
  await ledger.append('ledger.checkpoint', { data: { ...signCheckpoint('cloud', head, key) } })
  const folder = join(home.vault, 'Logs', 'cloud')
  return { home, file: join(folder, (await readdir(folder))[0] as string) }
}

test('finds a whole ledger whole', async () => {
  const { home } = await homeWithLedger()
  expect(await verifyLedgers(home)).toEqual({
    ok: true,
    agents: [{ agent: 'cloud', entries: 4, checkpoints: 1 }],
    receipts: 0,
    faults: [],
  })
})

test.each<[string, (lines: string[]) => string[]]>([
  ['an edited line', ([first = '', ...rest]) => [first.replace('"uid":"1"', '"uid":"9"'), ...rest]],
  ['a removed line', ([first = '', , ...rest]) => [first, ...rest]],
  ['swapped lines', ([first = '', second = '', ...rest]) => [second, first, ...rest]],
  ['a cut tail', (lines) => lines.slice(0, -1)],
  ['a tail cut in the middle of a line', (lines) => [...lines.slice(0, -1), (lines.at(-1) ?? '').slice(0, 40)]],
  ['a line that is no entry', (lines) => [...lines, '{}']],
  ['no line at all', () => []],
])('finds %s', async (_what, change) => {
  const { home, file } = await homeWithLedger()
  const lines = (await readFile(file, 'utf8')).split('\n').filter(Boolean)
  await writeFile(
    file,
    change(lines)
      .map((line) => `${line}\n`)
      .join(''),
  )
  expect((await verifyLedgers(home)).ok).toBe(false)
})

test('finds a removed file', async () => {
  const { home, file } = await homeWithLedger()
  await rm(file)
  expect((await verifyLedgers(home)).faults[0]?.problem).toContain('the ledger was cut')
})

test('finds a ledger of an agent nobody knows', async () => {
  const { home, file } = await homeWithLedger()
  const folder = join(home.vault, 'Logs', 'mallory')
  await (await import('node:fs/promises')).cp(join(file, '..'), folder, { recursive: true })
  expect((await verifyLedgers(home)).faults.map((fault) => fault.problem)).toContain('no known agent has this name')
})

test('with a day, only what follows is looked at, and that as strictly', async () => {
  const root = await mkdtemp(join(tmpdir(), 'audit-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const { home } = await initZone({ root, zone: 'cloud', settings: {}, secrets: {} })
  let now = Date.UTC(2026, 10, 20)
  using ledger = openLedger({
    ...{ vaultRoot: home.vault, stateDir: home.state, agent: 'cloud' },
    clock: { now: () => now },
  })
  const key = createPrivateKey(await readFile(join(home.keys, 'ledger.pem')))
  for (const day of [20, 21, 22]) {
    now = Date.UTC(2026, 10, day)
    const head = await ledger.append('mail.skipped', { data: { uid: `${day}` } })
    await ledger.append('ledger.checkpoint', { data: { ...signCheckpoint('cloud', head, key) } })
  }
  const fileOf = (day: number) => join(home.vault, 'Logs', 'cloud', `2026-11-${day}.jsonl`)
  const edit = async (day: number) =>
    writeFile(fileOf(day), (await readFile(fileOf(day), 'utf8')).replace(`"uid":"${day}"`, '"uid":"9"'))
  const counts = async (since?: string) => {
    const { ok, agents } = await verifyLedgers(home, since)
    return [ok, agents.find(({ agent }) => agent === 'cloud')?.entries]
  }
  expect(await counts('2026-11-21')).toEqual([true, 4])
  // Nobody wrote since: the newest file is looked at all the same.
  expect(await counts('2026-12-01')).toEqual([true, 2])
  await edit(20)
  expect([await counts(), await counts('2026-11-21')]).toEqual([
    [false, 6],
    [true, 4],
  ])
  await edit(21)
  expect([await counts('2026-11-21'), await counts('2026-11-22')]).toEqual([
    [false, 4],
    [true, 2],
  ])
  await rm(fileOf(22))
  expect((await counts('2026-11-22'))[0]).toBe(false)
})

test('holds the countersignatures in the ledger and in Done/ against the keys, from the day on that is asked for', async () => {
  const root = await mkdtemp(join(tmpdir(), 'audit-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const { home } = await initZone({ root, zone: 'local', settings: {}, secrets: {} })
  let now = 0
  const key = createPrivateKey(await readFile(join(home.keys, 'countersign.pem')))
  using ledger = openLedger({
    ...{ vaultRoot: home.vault, stateDir: home.state, agent: 'local' },
    clock: { now: () => now },
  })
  const files: Record<number, string> = {}
  const nameOf = (day: number, id: TaskId) => taskFileName({ kind: 'EMAIL', dayIso: `2026-11-${day}`, title: 'T', id })
  for (const day of [20, 22]) {
    now = Date.UTC(2026, 10, day)
    const at = new Date(now).toISOString()
    const [task, digest] = [makeTaskId(now, new Uint8Array(10)), `sha256:${'a'.repeat(64)}`]
    const [nonce, tool, audience] = [`${day}`.repeat(16), 'email.send_email', audienceOf(createPublicKey(key))]
    const receipt = signReceipt(
      { audience, task, tool, digest, nonce, issued_at: at, expires_at: '2026-12-24T00:00:00.000Z' },
      key,
    )
    await ledger.append('execution.intended', { task, data: { digest, nonce } })
    await ledger.append('execution.done', { task, data: { digest, receipt } })
    const outcome = { status: 'done', at, digest, receipt }
    const front = {
      id: task,
      schema: '1',
      kind: 'EMAIL',
      domain: 'email',
      title: 'T',
      created: at,
      generation: '1',
    } as const
    files[day] = join(home.vault, 'Done', '2026-11', nameOf(day, task))
    await mkdir(join(home.vault, 'Done', '2026-11'), { recursive: true })
    await writeFile(join(home.vault, 'Done', 'no-month.md'), '')
    await writeFile(files[day], renderTaskFile(newTaskFile({ ...front, outcome }, '# T\n')))
  }
  expect(await verifyLedgers(home)).toMatchObject({ ok: true, receipts: 2 })
  const forge = async (day: number) => {
    const text = await readFile(files[day] as string, 'utf8')
    await writeFile(
      files[day] as string,
      text.replace(/signature: (\S)/, (_, first: string) => `signature: ${first === 'A' ? 'B' : 'A'}`),
    )
  }
  await forge(20)
  expect(await verifyLedgers(home, '2026-11-21')).toMatchObject({ ok: true, receipts: 1 })
  const problem = expect.stringContaining('did not sign it')
  expect((await verifyLedgers(home)).faults).toMatchObject([
    { file: expect.stringContaining('Done/2026-11/EMAIL_2026-11-20'), problem },
  ])
  await forge(22)
  expect((await verifyLedgers(home, '2026-11-21')).faults).toMatchObject([
    { file: expect.stringContaining('Done/2026-11/EMAIL_2026-11-22'), problem },
  ])
})
