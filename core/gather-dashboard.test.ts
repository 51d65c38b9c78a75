import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { makeDraft } from '#tests/support/executor.ts'
import { type DashboardPorts, dashboardGatherer } from './gather-dashboard.ts'
import type { VaultPort } from './ports/vault.ts'
import { REVIEW_SHEET, vaultPath } from './vault-path.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const NEWS = { problems: [], signs: [], silent: [], services: [], sync: undefined, quarantine: undefined }
const SOURCES = { agent: 'local', agents: ['local', 'cloud'], held: [], problems: [], news: NEWS, now: NOW }

/** A vault whose files count as old, and which counts what is read of it. */
async function makeVault() {
  const root = mkdtempSync(join(tmpdir(), 'countersign-gather-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const vault = await openVault(root)
  const stamps = new Map<string, string>()
  const reads: string[] = []
  const counted: VaultPort = {
    ...vault,
    read: (path, maxBytes) => {
      reads.push(path)
      return vault.read(path, maxBytes)
    },
    stamp: async (path) => stamps.get(path),
  }
  return {
    vault: counted,
    reads: () => reads.splice(0).filter((path) => !path.startsWith('Logs/')),
    async put(path: string, text: string, stamp: string | null = '1') {
      await vault.replace(vaultPath(path), text)
      if (stamp) stamps.set(path, stamp)
    },
  }
}

function journal(unknown: { taskId: string; updatedAt: number }[] = []): DashboardPorts['journal'] {
  return { updates: () => [], intentsIn: (state) => (state === 'unknown' ? (unknown as never) : []) }
}

test('reads a file again only when it has changed', async () => {
  const { vault, reads, put } = await makeVault()
  const gather = dashboardGatherer({ vault, journal: journal() })
  const drafts = [makeDraft(), makeDraft()].map(({ fileName, text }) => ({
    text,
    path: `Pending_Approval/email/${fileName}`,
  }))
  for (const { path, text } of drafts) await put(path, text)
  const first = await gather(SOURCES)
  expect(reads()).toHaveLength(2)
  expect(await gather(SOURCES)).toEqual(first)
  expect(reads()).toEqual([])
  const [changed] = drafts
  await put(changed?.path ?? '', (changed?.text ?? '').replace('title: Invoice for March', 'title: Another'), '2')
  expect((await gather(SOURCES)).waiting.map(({ title }) => title).sort()).toEqual(['Another', 'Invoice for March'])
  expect(reads()).toEqual([changed?.path])
})

test('reads again what is too young to tell, and what could not be read', async () => {
  const { vault, reads, put } = await makeVault()
  const { fileName, text } = makeDraft()
  await put(`Pending_Approval/email/${fileName}`, text, null)
  await put(`Pending_Approval/email/EMAIL_2026-11-20_torn_aaaaaa.md`, '---\n')
  const gather = dashboardGatherer({ vault, journal: journal() })
  await gather(SOURCES)
  reads()
  await gather(SOURCES)
  expect(reads()).toEqual([`Pending_Approval/email/${fileName}`])
  await put(`Pending_Approval/email/${fileName}`, text)
  let isAway = true
  const failing = dashboardGatherer({
    vault: { ...vault, read: async (path) => (isAway ? Promise.reject(new Error('EMFILE')) : vault.read(path)) },
    journal: journal(),
  })
  expect((await failing(SOURCES)).waiting.map(({ say }) => say.startsWith('cannot be used'))).toEqual([true, true])
  isAway = false
  expect((await failing(SOURCES)).waiting.map(({ say }) => say.startsWith('cannot be used'))).toEqual([true, false])
})

test('puts an outcome that nobody can tell before everything else, as a question', async () => {
  const { vault, put } = await makeVault()
  const [plain, doubtful] = [makeDraft(), makeDraft()]
  for (const { fileName, text } of [plain, doubtful]) await put(`Pending_Approval/email/${fileName}`, text)
  const unknown = [{ taskId: doubtful.id, updatedAt: NOW - 1_000 }]
  const { waiting } = await dashboardGatherer({ vault, journal: journal(unknown) })(SOURCES)
  expect(waiting.map(({ level }) => level)).toEqual(['question', 'plain'])
  expect(waiting[0]).toMatchObject({ at: '2026-11-20T11:59:59.000Z', key: `question:${doubtful.id}:${NOW - 1_000}` })
})

test('looks closely at flagged tasks and at what cannot be used, and knows what is private', async () => {
  const { vault, put } = await makeVault()
  const flagged = makeDraft()
  await put(
    `Pending_Approval/email/${flagged.fileName}`,
    flagged.text.replace('generation: 1', 'risk:\n  - first-contact\ngeneration: 1'),
  )
  expect((await dashboardGatherer({ vault, journal: journal() })(SOURCES)).waiting[0]?.isUrgent).toBe(false)
  await put(
    `Pending_Approval/email/${flagged.fileName}`,
    flagged.text.replace('generation: 1', 'risk:\n  - first-contact\npriority: high\ngeneration: 1'),
  )
  expect((await dashboardGatherer({ vault, journal: journal() })(SOURCES)).waiting[0]?.isUrgent).toBe(true)
  const empty = makeDraft({ action: undefined })
  await put(`Pending_Approval/email/${empty.fileName}`, empty.text)
  await put('Pending_Approval/payment/PAYMENT_2026-11-20_rent-for-march_bbbbbb.md', 'broken')
  const { waiting } = await dashboardGatherer({ vault, journal: journal() })(SOURCES)
  expect(waiting.map(({ level, title, isPrivate }) => [level, title, isPrivate])).toEqual([
    ['look', 'rent for march', true],
    ['look', 'Invoice for March', false],
    ['look', 'Invoice for March', false],
  ])
  expect(waiting.map(({ say }) => say)).toEqual([
    'cannot be used as it stands; the file says why',
    ...['reply to client@countersign.test', 'nothing to approve yet; the file says why'],
  ])
})

test('lists what the ledger says was done today, and counts the month', async () => {
  const { vault, put } = await makeVault()
  const [today, before] = [makeDraft(), makeDraft()]
  for (const { fileName, text } of [today, before]) await put(`Done/2026-11/${fileName}`, text)
  const hash = `sha256:${'0'.repeat(64)}`
  const line = (seq: number, at: string, task: string) =>
    JSON.stringify({ seq, at, agent: 'local', type: 'execution.done', task, prev: hash, hash })
  await vault.create(
    vaultPath('Logs/local/2026-11-20.jsonl'),
    `${line(1, '2026-11-19T23:59:00.000Z', before.id)}\n${line(2, '2026-11-20T10:00:00.000Z', today.id)}\n`,
  )
  const facts = await dashboardGatherer({ vault, journal: journal() })(SOURCES)
  expect(facts.doneToday).toEqual([
    {
      path: `Done/2026-11/${today.fileName}`,
      title: 'Invoice for March',
      say: 'sent to client@countersign.test',
      at: '2026-11-20T10:00:00.000Z',
    },
  ])
  expect([facts.doneThisMonth, facts.week.sent]).toEqual([2, 2])
})

test('sees HALT.md and Review.md when they are there', async () => {
  const { vault, put } = await makeVault()
  const gather = dashboardGatherer({ vault, journal: journal() })
  expect(await gather(SOURCES)).toMatchObject({ isHalted: false, hasReview: false })
  await put('HALT.md', '')
  await vault.create(REVIEW_SHEET, '')
  expect(await gather(SOURCES)).toMatchObject({ isHalted: true, hasReview: true })
})
