import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { readAction } from '#core/action.ts'
import type { TaskId } from '#core/ids.ts'
import type { LedgerType } from '#core/ledger.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { describeImage } from '#core/social-image.ts'
import { parseTaskFile } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import { makePostDraft } from '#tests/support/social/draft.ts'
import { type DraftPostDeps, draftPost, type PostDraft } from './draft-post.ts'
import { type DrafterDeps, draftReply } from './draft-reply.ts'

let root: string
let vault: VaultPort
let entries: LedgerType[]
let deps: DraftPostDeps
let id: TaskId
let fileName: string

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'drafter-'))
  vault = await openVault(root)
  entries = []
  deps = {
    vault,
    ledger: {
      append: (type) => {
        entries.push(type)
        return Promise.resolve({ seq: 1, at: '', agent: 'cloud', type, prev: '', hash: '' })
      },
    },
    clock: { now: () => Date.parse('2026-11-20T10:00:00Z') },
    zone: 'cloud',
    agent: 'cloud',
    accounts: [
      { network: 'bluesky', account: 'you.bsky.social' },
      { network: 'mastodon', account: '@you@social.example' },
    ],
    by: 'draft_post',
    expiresAfterMs: 14 * 86_400_000,
  }
  const draft = makePostDraft(undefined, '')
  id = draft.id
  fileName = draft.fileName
  await vault.create(vaultPath(`In_Progress/cloud/${fileName}`), draft.text)
})
afterEach(() => rmSync(root, { recursive: true }))

const job = () => ({ taskId: id, generation: 1 })
async function pending() {
  const parsed = parseTaskFile((await vault.read(vaultPath(`Pending_Approval/social/${fileName}`))) ?? '')
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.task
}

test('a post is handed in for the account of the settings, and told of', async () => {
  expect(await draftPost(job(), { network: 'bluesky', text: 'We are open on Monday' }, deps)).toEqual({
    kind: 'drafted',
    path: `Pending_Approval/social/${fileName}`,
  })
  const task = await pending()
  expect(readAction(task)).toEqual({
    ok: true,
    action: {
      tool: 'social.publish_post',
      network: 'bluesky',
      account: 'you.bsky.social',
      body: 'We are open on Monday',
    },
  })
  expect(task.front).toMatchObject({ expires: '2026-12-04T10:00:00.000Z', drafted: { by: 'draft_post' } })
  expect(entries).toEqual(['task.drafted'])
  const [note] = await vault.list('Updates/cloud')
  expect(note && (await vault.read(note))).toMatch(/^A post waits for your approval: /)
})

test('a time makes it one that the network keeps', async () => {
  await draftPost(job(), { network: 'mastodon', text: 'x', publishAt: '2026-12-01T08:00:00Z' }, deps)
  expect(readAction(await pending())).toMatchObject({
    ok: true,
    action: { tool: 'social.create_post', publish_at: '2026-12-01T08:00:00Z' },
  })
})

test('images are files that stand in the vault already, named in the action by their content', async () => {
  const bytes = Buffer.from('GIF89a and so on')
  const { path, sha256 } = describeImage('sign.gif', bytes, 'A sign')
  await vault.create(vaultPath(path), bytes)
  const images = [{ path, altText: 'A sign' }]
  await draftPost(job(), { network: 'mastodon', text: 'x', images }, deps)
  const action = { images: [{ path, sha256, size: '16', type: 'image/gif', alt_text: 'A sign' }] }
  expect(readAction(await pending())).toMatchObject({ ok: true, action })
})

const ELSEWHERE = ['Attachments/none.png', 'Inbox/a.png', '../secrets/key', `Attachments/${'0'.repeat(64)}.png`]

test.each<[string, PostDraft, string]>([
  ...ELSEWHERE.map((path): [string, PostDraft, string] => [
    `an image that is not there (${path})`,
    { network: 'mastodon', text: 'x', images: [{ path, altText: 'x' }] },
    'no such file of Attachments/',
  ]),
  ['too long a text', { network: 'bluesky', text: 'x'.repeat(301) }, '301 characters; Bluesky takes 300'],
  ['a network without an account here', { network: 'x', text: 'x' }, 'no account of X is set up here'],
  [
    'two times',
    { network: 'mastodon', text: 'x', publishAt: '2026-12-01T08:00:00Z', notBefore: '2026-12-01T08:00:00Z' },
    'not_before',
  ],
])(
  'what could never be approved, such as %s, stays claimed, and the writer hears why',
  async (_what, draft, problem) => {
    const outcome = await draftPost(job(), draft, deps)
    expect(outcome).toMatchObject({ kind: 'unusable', problem: expect.stringContaining(problem) })
    expect(await vault.list('In_Progress/cloud')).toHaveLength(1)
    expect(await vault.list('Pending_Approval/social')).toEqual([])
    expect(entries).toEqual([])
  },
)

test('a task that is not held, or is held under another generation, is lost', async () => {
  const draft = { network: 'bluesky', text: 'x' } as const
  expect(await draftPost({ ...job(), generation: 2 }, draft, deps)).toEqual({ kind: 'lost' })
})

test('the drafter of mails leaves it to whoever writes posts', async () => {
  const drafter = {
    ...deps,
    write: () => Promise.reject(new Error('not asked')),
    ownerAddress: 'a@b.example',
    ownerName: 'A',
  }
  expect(await draftReply(job(), drafter as DrafterDeps)).toEqual({ kind: 'left' })
  expect(await vault.list('In_Progress/cloud')).toHaveLength(1)
})
