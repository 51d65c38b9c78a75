import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { examplesPath, withExample } from '#core/examples.ts'
import type { TaskId } from '#core/ids.ts'
import type { DraftRequest } from '#core/ports/drafting.ts'
import { newTaskFile, renderSection, renderTaskFile } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import { draftReply } from './draft-reply.ts'

const ID = '01J8Z3W6Q0ABCDEFGHJKABCDEF' as TaskId
const ANNA = 'anna@client.example'
const NOTE = withExample(undefined, ANNA, {
  ...{ id: ID, at: '2026-11-01T10:00:00.000Z', title: 'Before', before: 'Dear Anna', after: 'Hi Anna' },
})

/** What the drafter is given to write by, for a mail that Anna wants answered. */
async function requestIn(prepare: (vault: Awaited<ReturnType<typeof openVault>>) => Promise<unknown>, notes = '') {
  const root = mkdtempSync(join(tmpdir(), 'drafter-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const vault = await openVault(root)
  const front = {
    ...{ id: ID, schema: '1' as const, kind: 'EMAIL', domain: 'email' as const, title: 'Invoice', generation: '1' },
    ...{ created: '2026-11-20T09:00:00Z', source: { provider: 'imap', reply_to: ['Anna@Client.example'] } },
  }
  const task = newTaskFile(
    front,
    `# t\n\n${renderSection('notes', notes)}\n\n${renderSection('original', 'Where is it?')}\n`,
  )
  await vault.create(vaultPath('In_Progress/cloud/EMAIL_2026-11-20_invoice_abcdef.md'), renderTaskFile(task))
  await prepare(vault)
  const requests: DraftRequest[] = []
  await draftReply(
    { taskId: ID, generation: 1 },
    {
      ...{ vault, clock: { now: () => Date.parse('2026-11-20T10:00:00Z') }, zone: 'cloud', agent: 'cloud' },
      ledger: { append: async (type) => ({ seq: 1, at: '', agent: 'cloud', type, prev: '', hash: '' }) },
      write: async (request) => {
        requests.push(request)
        return { text: 'Hello', by: 'x', model: 'y', costUsd: '0' }
      },
      ...{ ownerAddress: 'owner@countersign.test', ownerName: 'O', expiresAfterMs: 1_000_000 },
    },
  )
  return requests[0]
}

test('a drafter is given what the person made of earlier drafts to the one that is answered', async () => {
  const request = await requestIn(async (vault) => {
    await vault.create(examplesPath(ANNA), NOTE)
    await vault.create(examplesPath('other@client.example'), NOTE.replace('Hi Anna', 'not this'))
  })
  expect(request?.examples).toEqual(['They sent:\n\nHi Anna\n\nThe draft had been:\n\nDear Anna'])
})

test('nothing of it where the person does not want it, or it cannot be read', async () => {
  const handbook = vaultPath('Company_Handbook.md')
  const off = await requestIn(async (vault) => {
    await vault.create(examplesPath(ANNA), NOTE)
    await vault.create(handbook, '## Rules\n- Remember my edits: no\n')
  })
  const odd = await requestIn(async (vault) => mkdirSync(join(vault.root, examplesPath(ANNA)), { recursive: true }))
  const none = await requestIn(async () => {})
  expect([off?.examples, odd?.examples, none?.examples]).toEqual([[], [], []])
})

test('notes that were answered before are not asked for again', async () => {
  const request = await requestIn(async () => {}, '~~Shorter.~~\nOffer Tuesday.')
  expect(request?.notes).toBe('Offer Tuesday.')
})
