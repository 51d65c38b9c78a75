import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { skillFolders } from '#adapters/skills/skill-folder.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { readAction } from '#core/action.ts'
import type { TaskId } from '#core/ids.ts'
import type { LedgerType } from '#core/ledger.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { draftOf, newTaskFile, parseTaskFile, renderSection, renderTaskFile } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import { type DrafterDeps, draftReply } from './draft-reply.ts'
import { claimedJobs } from './hand-in.ts'
import { replyDrafter } from './reply-drafter.ts'

const ID = '01J8Z3W6Q0ABCDEFGHJKABCDEF' as TaskId
const NAME = 'EMAIL_2026-11-20_invoice-for-march_abcdef.md'
const CLAIMED = vaultPath(`In_Progress/cloud/${NAME}`)
const PENDING = vaultPath(`Pending_Approval/email/${NAME}`)
const JOB = { taskId: ID, generation: 1 }

let root: string
let vault: VaultPort
let entries: LedgerType[]
let deps: DrafterDeps

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'drafter-'))
  vault = await openVault(root)
  entries = []
  const skills = skillFolders(join(import.meta.dirname, '../../skills'))
  deps = {
    vault,
    ledger: {
      append: (type) => {
        entries.push(type)
        return Promise.resolve({ seq: 1, at: '', agent: 'cloud', type, prev: '', hash: '' })
      },
    },
    clock: { now: () => Date.parse('2026-11-20T10:00:00Z') },
    write: replyDrafter({
      ...{ openSkill: skills.open, skillName: 'cloud-draft-email', ownerName: 'O. Owner' },
      recognizeLanguage: () => undefined,
    }),
    zone: 'cloud',
    agent: 'cloud',
    ownerAddress: 'owner@countersign.test',
    ownerName: 'O. Owner',
    expiresAfterMs: 14 * 86_400_000,
  }
})
afterEach(() => rmSync(root, { recursive: true }))

const put = (source: object = {}, front: object = {}) =>
  vault.create(
    CLAIMED,
    renderTaskFile(
      newTaskFile(
        {
          id: ID,
          schema: '1',
          kind: 'EMAIL',
          domain: 'email',
          title: 'RE: Invoice {{signature}} $& for March',
          created: '2026-11-20T09:00:00Z',
          generation: '1',
          source: {
            provider: 'imap',
            message_id: '<m2@acme.example>',
            from: '"Ana Ruiz" <Ana@Acme.Example>',
            reply_to: ['Ana@Acme.Example'],
            references: ['<m1@acme.example>'],
            ...source,
          },
          ...front,
        },
        `# t\n\n${renderSection('original', 'Where is my invoice?')}\n`,
      ),
    ),
  )
const pending = () => {
  const parsed = parseTaskFile(readFileSync(join(root, PENDING), 'utf8'))
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.task
}

test('expires when the handbook says, where it says anything', async () => {
  await put()
  await vault.create(vaultPath('Company_Handbook.md'), '## Rules\n- Drafts expire after: email 2 days\n')
  await draftReply(JOB, deps)
  expect(pending().front.expires).toBe('2026-11-22T10:00:00.000Z')
})

test('hands in a reply to the sender, in the thread, signed as the handbook says', async () => {
  await put()
  await vault.create(
    vaultPath('Company_Handbook.md'),
    '# Handbook\n\n## Signature\n\nOlga Owner\nAcme\n\n## Tone\n\nwarm\n',
  )
  expect(await draftReply(JOB, deps)).toEqual({
    ...{ kind: 'drafted', path: PENDING },
    arrivedAt: Date.parse('2026-11-20T09:00:00Z'),
  })
  const task = pending()
  expect(readAction(task)).toMatchObject({
    ok: true,
    action: {
      to: ['Ana@acme.example'],
      account: 'owner@countersign.test',
      subject: 'Re: Invoice {{signature}} $& for March',
      in_reply_to: '<m2@acme.example>',
      references: ['<m1@acme.example>', '<m2@acme.example>'],
    },
  })
  expect(draftOf(task)).toMatch(/^Dear Ana Ruiz,\n[\s\S]*Kind regards\nOlga Owner\nAcme$/)
  expect(task.front).toMatchObject({
    drafted: { by: 'cloud-draft-email', model: 'template', cost_usd: '0' },
    expires: '2026-12-04T10:00:00.000Z',
  })
  expect(await vault.exists(CLAIMED)).toBe(false)
  expect(readdirSync(join(root, 'Updates/cloud'))).toHaveLength(1)
  expect(entries).toEqual(['task.drafted'])
})

test('counts the time since the mail arrived for its first draft only', async () => {
  await put({}, { drafted: { by: 'cloud-draft-email', model: 'template', at: '2026-11-20T09:30:00Z', cost_usd: '0' } })
  expect(await draftReply(JOB, deps)).toEqual({ kind: 'drafted', path: PENDING })
})

test('answers under the subject as it was sent, not as the title shows it', async () => {
  await put({ subject: 'Re: See http://acme.example/x' }, { title: 'Re: See hxxp[:]//acme.example/x' })
  await draftReply(JOB, deps)
  expect(readAction(pending())).toMatchObject({ ok: true, action: { subject: 'Re: See http://acme.example/x' } })
})

test('signs with the owner’s name where there is no handbook yet', async () => {
  await put()
  await draftReply(JOB, deps)
  expect(draftOf(pending())).toMatch(/Kind regards\nO\. Owner$/)
})

test('leaves a task alone that is another generation’s, or gone', async () => {
  await put()
  expect(await draftReply({ taskId: ID, generation: 2 }, deps)).toEqual({ kind: 'lost' })
  expect(await vault.exists(CLAIMED)).toBe(true)
  await vault.remove(CLAIMED)
  expect(await draftReply(JOB, deps)).toEqual({ kind: 'lost' })
})

test.each(['replaceIf', 'create', 'move'] as const)('ends the same after a crash before its %s', async (step) => {
  await put()
  const crash = new Error('crash')
  const crashing = { ...vault, list: vault.list, read: vault.read, [step]: () => Promise.reject(crash) } as VaultPort
  await expect(draftReply(JOB, { ...deps, vault: crashing })).rejects.toBe(crash)
  expect(await claimedJobs(vault, 'cloud')).toEqual([JOB])
  expect(await draftReply(JOB, deps)).toMatchObject({ kind: 'drafted' })
  expect(readdirSync(join(root, 'Updates/cloud'))).toHaveLength(1)
  expect(draftOf(pending())?.match(/Dear/g)).toHaveLength(1)
})

test('refuses a local-only domain with a ledger entry and leaves the file', async () => {
  await put({}, { domain: 'payment' })
  expect(await draftReply(JOB, deps)).toMatchObject({ kind: 'forbidden' })
  expect(entries).toEqual(['zone.forbidden'])
  expect(await vault.exists(CLAIMED)).toBe(true)
})

test('hands a mail that cannot be answered to the person with the reason and without an action', async () => {
  await put({ reply_to: [] })
  expect(await draftReply(JOB, deps)).toMatchObject({ kind: 'unusable' })
  expect(pending().front.action).toBeUndefined()
  expect(pending().front.outcome?.reason).toMatch(/no reply could be drafted/)
})

test('flags what the draft says without a source, and forgets what an earlier draft said', async () => {
  await put({}, { risk: ['ungrounded-name', 'reply-to-differs'] })
  const write = () =>
    Promise.resolve({ text: 'We will deliver the engine on 5 May.', by: 'x', model: 'm', costUsd: '0', flags: ['a'] })
  await draftReply(JOB, { ...deps, write })
  expect(pending().front.risk).toEqual(['reply-to-differs', 'a', 'ungrounded-promise', 'ungrounded-date'])
})
