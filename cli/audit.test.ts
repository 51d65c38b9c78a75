import { createPrivateKey } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { signCheckpoint } from '#core/ledger.ts'
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
