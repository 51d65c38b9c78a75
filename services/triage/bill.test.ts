import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { parseMail } from '#adapters/mime/parse-mail.ts'
import { openSeenMail } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { openThreadMemory } from '#adapters/seen-sqlite/thread-memory.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { isClaimable } from '#core/claim.ts'
import { dashboardGatherer } from '#core/gather-dashboard.ts'
import { checkCommit } from '#core/path-ownership.ts'
import { vaultPath } from '#core/vault-path.ts'
import { mailClassifier } from './classify.ts'
import { triageMessage } from './triage-message.ts'

const NOW = Date.UTC(2026, 10, 20, 12)
const BILL = `From: Power <no-reply@power.example>
To: owner@x.example
Subject: Your bill for November
Message-ID: <bill@power.example>
Auto-Submitted: auto-generated

Amount due: 45.90 EUR by 15 December.
IBAN: DE89 3704 0044 0532 0130 00
`

test('a bill becomes a task that the cloud may put at the hub, may not touch again, and the person sees', async () => {
  const home = mkdtempSync(join(tmpdir(), 'bill-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  const vault = await openVault(home)
  const clock = { now: () => NOW }
  using ledger = openLedger({ vaultRoot: home, stateDir: join(home, 'state'), agent: 'cloud', clock })
  using seen = openSeenMail(join(home, 'state/triage.sqlite'))
  using threads = openThreadMemory(join(home, 'state/threads.sqlite'), NOW)
  const ownAddresses = new Set(['owner@x.example'])
  const source = Buffer.from(BILL.replaceAll('\n', '\r\n'))
  const position = { epoch: '1', mark: '1' }
  const outcome = await triageMessage(
    { position, receivedAt: NOW, size: source.length, source, declaredAttachments: [] },
    {
      ...{ vault, ledger, seen, threads, clock, ownAddresses, parse: parseMail, agent: 'cloud' },
      ...{ account: 'owner@x.example', localAgent: async () => 'local' },
      classify: mailClassifier({ vault, ownAddresses, log: { warn() {} }, metrics: { count() {} } }),
    },
  )
  expect(outcome.kind).toBe('task')
  const [name = ''] = readdirSync(join(home, 'Needs_Action/payment'))
  const path = vaultPath(`Needs_Action/payment/${name}`)
  const after = readFileSync(join(home, path))
  expect(after.toString()).toContain('classified:\n  by: rule\n  rule: bill\n')

  const cloud = { agent: 'cloud', zone: 'cloud' } as const
  const mode = '100644'
  expect(checkCommit(cloud, [{ path, mode, after }])).toEqual([])
  const claim = vaultPath(`In_Progress/cloud/${name}`)
  expect(
    checkCommit(cloud, [
      { path, before: after },
      { path: claim, mode, after },
    ]).map(({ rule }) => rule),
  ).toContain('domain-local-only')
  expect(isClaimable({ kind: 'needs-action', domain: 'payment' }, 'cloud')).toBe(false)

  const gather = dashboardGatherer({ vault, journal: { updates: () => [], intentsIn: () => [] } })
  const news = { problems: [], signs: [], silent: [], services: [], sync: undefined, quarantine: undefined }
  const { waiting } = await gather({
    agent: 'local',
    agents: ['local'],
    held: [],
    problems: [],
    news,
    now: NOW,
  } as never)
  expect(waiting).toMatchObject([
    {
      ...{ path, title: 'Your bill for November', level: 'look', isPrivate: true, isUrgent: false },
      say: 'asks for 45.90 EUR to DE89 3704 0044 0532 0130 00; nothing is done about it by itself: do it, then reject the file',
    },
  ])
  const entries = readFileSync(join(home, 'Logs/cloud/2026-11-20.jsonl'), 'utf8')
  expect(JSON.parse(entries.trim())).toMatchObject({
    data: { domain: 'payment', classified: { by: 'rule', rule: 'bill' } },
  })
})
