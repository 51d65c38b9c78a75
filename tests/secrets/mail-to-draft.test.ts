import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { parseMail } from '#adapters/mime/parse-mail.ts'
import { secretlintScan } from '#adapters/secretlint/secretlint.ts'
import { openSeenMail } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { openThreadMemory } from '#adapters/seen-sqlite/thread-memory.ts'
import { skillFolders } from '#adapters/skills/skill-folder.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { ruleScan, scanInLayers } from '#core/content-scan.ts'
import { parseTaskFile, section } from '#core/task-file.ts'
import { taskPath } from '#core/vault-path.ts'
import { draftReply } from '#services/drafter/draft-reply.ts'
import { replyDrafter } from '#services/drafter/reply-drafter.ts'
import { triageMessage } from '#services/triage/triage-message.ts'
import { joined as j, noise } from './noise.ts'
import { RULE_FIXTURES } from './rule-fixtures.ts'
import { SECRETLINT_SAMPLES } from './secretlint-samples.ts'

const clock = { now: () => Date.UTC(2026, 10, 20, 12) }
const TOKEN = j('gh', 'p_', noise(36))

/** One mail through triage and the drafter, with real files. */
async function throughTheCloud(source: string) {
  const home = mkdtempSync(join(tmpdir(), 'mail-to-draft-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  mkdirSync(join(home, 'vault'))
  const vault = await openVault(join(home, 'vault'))
  using ledger = openLedger({ vaultRoot: join(home, 'vault'), stateDir: join(home, 'state'), agent: 'cloud', clock })
  using seen = openSeenMail(join(home, 'state/triage.sqlite'))
  using threads = openThreadMemory(join(home, 'state/threads.sqlite'), clock.now())
  const bytes = Buffer.from(source.replace(/\r?\n/g, '\r\n'))
  const raw = {
    receivedAt: clock.now(),
    size: bytes.length,
    source: bytes,
    declaredAttachments: [],
  }
  const account = 'owner@x.test'
  const outcome = await triageMessage(raw, {
    vault,
    ledger,
    seen,
    parse: parseMail,
    clock,
    account,
    threads,
    agent: 'cloud',
    localAgent: async () => 'local',
    ownAddresses: new Set(),
  })
  if (outcome.kind !== 'task') throw new Error(`triage: ${JSON.stringify(outcome)}`)
  const claimed = taskPath({ kind: 'in-progress', agent: 'cloud' }, outcome.fileName)
  await vault.move(taskPath({ kind: 'needs-action', domain: 'email' }, outcome.fileName), claimed)
  const skills = skillFolders(join(import.meta.dirname, '../../skills'))
  const skill = { openSkill: skills.open, skillName: 'cloud-draft-email' }
  const write = replyDrafter({ ...skill, ownerName: 'O. Owner', recognizeLanguage: () => undefined })
  const own = { ownerAddress: account, ownerName: 'O. Owner', expiresAfterMs: 1e9 }
  await draftReply(
    { taskId: outcome.taskId, generation: 0 },
    { vault, ledger, clock, write, zone: 'cloud', agent: 'cloud', ...own },
  )
  const files = readdirSync(join(home, 'vault'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  return new Map(files.map((path) => [path.slice(join(home, 'vault/').length), readFileSync(path)]))
}

const findingsIn = async (files: ReadonlyMap<string, Uint8Array>) => {
  const scan = scanInLayers([ruleScan, secretlintScan()])
  const scans = [...files].map(async ([path, bytes]) => [
    ...(await scan.scan({ path, bytes })),
    ...(await scan.scan({ path, bytes: Buffer.from(path) })),
  ])
  return (await Promise.all(scans)).flat().filter(({ kind }) => kind === 'block')
}

test('a mail full of secrets becomes a task and a draft of which nothing is held back', async () => {
  const everything = [
    ...Object.values(RULE_FIXTURES).flatMap(({ finds }) => finds),
    ...Object.values(SECRETLINT_SAMPLES),
  ]
  const files = await throughTheCloud(`From: ${TOKEN} <client@example.test>
To: owner@x.test
Subject: Your login code is 482913, token ${TOKEN}
Message-ID: <m1@example.test>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

When do we meet?

${everything.join('\n\n')}
--b
Content-Type: text/plain
Content-Disposition: attachment; filename="env.txt"

SMTP_PASSWORD=${noise(20)}
--b--
`)
  const [path = ''] = [...files.keys()].filter((one) => one.startsWith('Pending_Approval/'))
  const parsed = parseTaskFile(files.get(path)?.toString() ?? '')
  if (!parsed.ok) throw new Error(parsed.problem)
  expect(section(parsed.task, 'original')).toContain('When do we meet?')
  expect(section(parsed.task, 'original')).toContain('⟦masked:private-key⟧')
  expect(parsed.task.front.title).toBe('Your login code is ⟦masked:one-time-code⟧, token ⟦masked:github-token⟧')
  expect([...files.keys()].filter((one) => one.startsWith('Attachments/'))).toEqual([])
  expect(await findingsIn(files)).toEqual([])
})

test.each(Object.entries(SECRETLINT_SAMPLES))('a mail with a %s secret holds nothing back', async (_name, secret) => {
  const files = await throughTheCloud(`From: a@x.test\nSubject: key\nMessage-ID: <m@x>\n\nHere it is:\n${secret}\n`)
  expect(await findingsIn(files)).toEqual([])
})

test('an ordinary mail is quoted as it came', async () => {
  const text =
    'Dear Olivia,\n\ninvoice 482913 of 20 November over 1,250.00 EUR is due. IBAN DE89 3704 0044 0532 0130 00.\nTel. +49 30 1234567'
  const files = await throughTheCloud(`From: a@x.test\nSubject: Invoice 482913\nMessage-ID: <m@x>\n\n${text}\n`)
  const [task = ''] = [...files]
    .filter(([path]) => path.startsWith('Pending_Approval/'))
    .map(([, bytes]) => bytes.toString())
  expect(task).toContain(text)
  expect(task).not.toContain('masked')
})
