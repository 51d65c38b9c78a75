import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { skillFolders } from '#adapters/skills/skill-folder.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { readAction } from '#core/action.ts'
import { claimedBy, givenBackBy } from '#core/claim.ts'
import type { TaskId } from '#core/ids.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { parseRequest, type SyncAnswer, type SyncRequest } from '#core/sync-request.ts'
import { draftOf, newTaskFile, parseTaskFile, renderSection, renderTaskFile, type TaskFile } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import { type Scripted, scriptedModel, unanswered } from '#tests/support/scripted-model.ts'
import { type CloudDraftsDeps, cloudDrafts } from './cloud-drafts.ts'
import { draftTask } from './draft-task.ts'
import { giveBackThroughSync } from './give-back-through-sync.ts'
import { claimedJobs } from './hand-in.ts'
import { replyDrafter } from './reply-drafter.ts'

const ID = '01J8Z3W6Q0ABCDEFGHJKABCDEF' as TaskId
const JOB = { taskId: ID, generation: 1 }
const DAY = '2026-11-20T09:00:00Z'

let root: string
let vault: VaultPort
let requests: SyncRequest[]
let answers: Map<string, SyncAnswer>

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'drafter-'))
  vault = await openVault(join(root))
  requests = []
  answers = new Map()
  cpSync(join(import.meta.dirname, '../../skills'), join(root, '../', `${root.split('/').at(-1)}-skills`), {
    recursive: true,
  })
})
const skillsDir = () => `${root}-skills`
afterEach(() => {
  rmSync(root, { recursive: true })
  rmSync(skillsDir(), { recursive: true })
})

function depsWith(answers_: readonly Scripted[] | undefined, over: Partial<VaultPort> = {}) {
  const model = answers_ && scriptedModel(...answers_)
  const skills = skillFolders(skillsDir())
  const asking = {
    ask: async (request: SyncRequest) => void requests.push(request),
    answerTo: async (id: string) => answers.get(id),
    open: async () => requests,
  }
  const common = {
    vault: { ...vault, ...over } as VaultPort,
    ledger: {
      append: async () => ({ seq: 1, at: '', agent: 'cloud', type: 'task.drafted', prev: '', hash: '' }) as never,
    },
    ...{ clock: { now: () => Date.parse('2026-11-20T10:00:00Z') }, zone: 'cloud' as const, agent: 'cloud' },
    ...{ ownerName: 'O. Owner', expiresAfterMs: 86_400_000, openSkill: skills.open, ask: model?.ask },
  } as const
  const parts: CloudDraftsDeps = {
    ...common,
    ownerAddress: 'owner@countersign.test',
    write: replyDrafter({ ...common, skillName: 'cloud-draft-email', recognizeLanguage: () => undefined }),
    posts: {
      ...{ ...common, skillName: 'cloud-draft-social' },
      accounts: [
        { network: 'bluesky', account: 'you.bsky.social' },
        { network: 'mastodon', account: '@you@social.example' },
        { network: 'instagram', account: '17841405822304914' },
      ],
    },
    invoices: { ...common, skillName: 'cloud-odoo-draft' },
    giveBack: giveBackThroughSync(asking, 'cloud', async () => {}),
  }
  const deps = { ...parts, drafts: cloudDrafts(parts) }
  return { deps, asked: model?.asked ?? [] }
}

async function put(front: object = {}, text = 'When do you open?'): Promise<string> {
  const domain = (front as { domain?: string }).domain ?? 'email'
  const kind = domain === 'social' ? 'POST' : 'EMAIL'
  const name = `${kind}_2026-11-20_task_abcdef.md`
  const task = newTaskFile(
    {
      ...{ id: ID, schema: '1', kind, domain: 'email', title: 'Task', created: DAY, generation: '1' },
      ...(domain !== 'social' && { source: { provider: 'imap', from: 'a@b.example', reply_to: ['a@b.example'] } }),
      ...front,
    } as Parameters<typeof newTaskFile>[0],
    `# t\n\n${renderSection('original', text)}\n`,
  )
  await vault.create(vaultPath(`In_Progress/cloud/${name}`), renderTaskFile(task))
  return name
}
async function read(path: string): Promise<TaskFile> {
  const parsed = parseTaskFile((await vault.read(vaultPath(path))) ?? '')
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.task
}
const notes = async () => Promise.all((await vault.list('Updates/cloud')).map((path) => vault.read(path)))
const post = (text: string, more: object = {}) => ({ text, language: 'en', needs: [], read: [], ...more })

describe('a mail', () => {
  test('whose draft fell back says why in its file and in the note', async () => {
    const name = await put()
    const { deps } = depsWith([unanswered('unreachable', 'the model does not answer')])
    expect(await draftTask(JOB, deps)).toMatchObject({ kind: 'drafted' })
    const { front } = await read(`Pending_Approval/email/${name}`)
    expect(front.drafted).toMatchObject({
      model: 'template',
      remark: 'the model does not answer; this is the template',
    })
    expect((await notes()).join()).toContain('the model does not answer')
  })

  test('carries what made it, at what cost, and flags that go with the next draft', async () => {
    const name = await put({ risk: ['reply-to-differs', 'facts-missing', 'draft-language-differs'] })
    const { deps } = depsWith([post('Fine.', { needs: ['a date'] })])
    await draftTask(JOB, deps)
    const { front } = await read(`Pending_Approval/email/${name}`)
    expect(front.drafted).toMatchObject({ by: 'cloud-draft-email', model: 'scripted-1', cost_usd: '0.01' })
    expect(front.risk).toEqual(['reply-to-differs', 'facts-missing'])
  })

  test('that leaves its file no room for a draft goes back with a note, and is asked about once', async () => {
    const long = (n: number) => `<${n}${'r'.repeat(235)}@x.example>`
    const name = await put({
      title: '请'.repeat(300),
      source: {
        ...{ provider: 'imap', from: 'a@b.example', reply_to: ['a@b.example'], subject: '请'.repeat(490) },
        ...{ message_id: long(99), thread_id: long(0), references: Array.from({ length: 25 }, (_, n) => long(n)) },
      },
    })
    const { deps, asked } = depsWith([post('Fine.')])
    expect(await draftTask(JOB, deps)).toMatchObject({ kind: 'given-back' })
    expect(await draftTask(JOB, deps)).toEqual({ kind: 'lost' })
    expect(asked).toHaveLength(1)
    expect(requests).toMatchObject([{ kind: 'give-back', file: name }])
    expect((await notes()).join()).toMatch(/the front matter is too long/)
  })

  test('puts nothing into the note about it that a viewer would act on', async () => {
    await put({ title: 'A <img src="https&colon;//evil.example/a"> B' })
    const needs = ['<img src="https&colon;//evil.example/b">', '[x](https&colon;//evil.example/c)']
    await draftTask(JOB, depsWith([post('Fine.', { needs })]).deps)
    const [note] = await notes()
    expect(note).toContain('still missing')
    expect(note?.replaceAll(/\\./g, '')).not.toMatch(/[<>&]|\]\(/)
  })

  test('is drafted although the handbook is no text, and says so', async () => {
    const name = await put()
    writeFileSync(join(root, 'Company_Handbook.md'), new Uint8Array([0xff, 0xfe, 0x00]))
    await draftTask(JOB, depsWith(undefined).deps)
    expect((await read(`Pending_Approval/email/${name}`)).front.drafted?.remark).toMatch(
      /Company_Handbook\.md cannot be read/,
    )
  })
})

describe('what not even a template can be had for', () => {
  const broken = () => writeFileSync(join(skillsDir(), 'cloud-draft-email/SKILL.md'), '---\nname: [\n---\n')

  test('goes back with a note, once, however often it is asked for; the file stays as it was', async () => {
    const name = await put()
    const before = await vault.read(vaultPath(`In_Progress/cloud/${name}`))
    broken()
    const { deps } = depsWith([post('never asked')])
    expect(await draftTask(JOB, deps)).toMatchObject({
      kind: 'given-back',
      reason: expect.stringContaining('SKILL.md'),
    })
    expect(await draftTask(JOB, deps)).toEqual({ kind: 'lost' })
    expect(requests.map((one) => parseRequest(JSON.stringify(one)))).toEqual(requests)
    expect(requests).toMatchObject([{ kind: 'give-back', task: ID, file: name, holder: 'cloud', generation: 1 }])
    expect(await vault.read(vaultPath(`In_Progress/cloud/${name}`))).toBe(before)
    expect(await notes()).toEqual([
      expect.stringMatching(/^Not drafted: \[\[Needs_Action\/email\/.*countersign task transfer/s),
    ])
    expect(await vault.list('Pending_Approval/email')).toEqual([])
  })

  test('is not asked for again once sync has refused', async () => {
    await put()
    broken()
    const { deps } = depsWith(undefined)
    await draftTask(JOB, deps)
    for (const { id } of requests.splice(0)) answers.set(id, { kind: 'refused', rule: 'x', say: 'x' })
    expect(await draftTask(JOB, deps)).toEqual({ kind: 'lost' })
    expect(requests).toEqual([])
  })

  test('converges when it dies before the note or before the request', async () => {
    await put()
    broken()
    const crash = new Error('crash')
    const dying = depsWith(undefined, { create: () => Promise.reject(crash) }).deps
    await expect(draftTask(JOB, dying)).rejects.toBe(crash)
    const { deps } = depsWith(undefined)
    const mute = { ...deps, giveBack: { ...deps.giveBack, ask: () => Promise.reject(crash) } }
    await expect(draftTask(JOB, mute)).rejects.toBe(crash)
    expect(await claimedJobs(vault, 'cloud')).toEqual([JOB])
    expect(await draftTask(JOB, deps)).toMatchObject({ kind: 'given-back' })
    expect([requests.length, (await notes()).length]).toEqual([1, 1])
  })

  test('another skill is not kept from working by it', async () => {
    broken()
    const name = await put({ domain: 'social', network: 'bluesky' }, 'Open on Monday')
    expect(await draftTask(JOB, depsWith([post('We are open.')]).deps)).toMatchObject({ kind: 'drafted' })
    expect(draftOf(await read(`Pending_Approval/social/${name}`))).toBe('We are open.')
  })
})

describe('a note of the person’s own', () => {
  const NOTE = { source: { provider: 'inbox', subject: 'Invite Ana', reply_to: ['ana@b.example'] } }

  test('becomes a new mail, not an answer', async () => {
    const name = await put(NOTE, 'Invite Ana to lunch on Monday')
    const { deps, asked } = depsWith([post('Dear Ana, lunch on Monday?')])
    expect(await draftTask(JOB, deps)).toMatchObject({ kind: 'drafted' })
    expect(asked[0]?.prompt).toMatch(/^Write the mail that the owner asks for[\s\S]*<<<note /)
    expect(readAction(await read(`Pending_Approval/email/${name}`))).toMatchObject({
      ...{ ok: true, action: { to: ['ana@b.example'], subject: 'Invite Ana' } },
    })
  })

  test.each<[string, Scripted[] | undefined, string]>([
    ['without a model', undefined, 'without a model'],
    ['when the model does not answer', [unanswered('unreachable', 'the model is down')], 'the model is down'],
  ])('goes back %s: a template would thank for a message that there never was', async (_what, script, why) => {
    await put(NOTE, 'Invite Ana to lunch on Monday')
    expect(await draftTask(JOB, depsWith(script).deps)).toMatchObject({
      ...{ kind: 'given-back', reason: expect.stringContaining(why) },
    })
    expect(await vault.list('Pending_Approval/email')).toEqual([])
  })
})

describe('a mail that asks for an invoice', () => {
  const MAIL = 'From: Ana <a@b.example>\n\nPlease invoice Acme Ltd. for 3 days of consulting at 500 EUR.'
  const data = {
    customer: { name: 'Acme Ltd.', email: null, address: null, tax_id: null },
    lines: [{ description: 'days of consulting', quantity: '3', unit_price: '500', tax_percent: null }],
    ...{ prices_include_tax: false, currency: 'EUR', due: null, reference: null },
  }

  test('gets a reply that asks for what is missing, and a note of what was read', async () => {
    const name = await put({ domain: 'accounting' }, MAIL)
    const { deps, asked } = depsWith([data, post('Thank you, which address?')])
    expect(await draftTask(JOB, deps)).toMatchObject({ kind: 'drafted' })
    expect(asked.map(({ purpose }) => purpose)).toEqual(['invoice', 'reply'])
    expect(asked[1]?.prompt).toContain(
      'Ask for what is still missing: the tax of line 1; the customer’s address; when it is due.',
    )
    const { front } = await read(`Pending_Approval/accounting/${name}`)
    expect(front.drafted).toMatchObject({ cost_usd: '0.02', remark: expect.stringContaining('Plans/Invoice') })
    expect(front.risk).toEqual(['facts-missing'])
    const note = await vault.read(vaultPath('Plans/Invoice abcdef-1.md'))
    expect(note).toMatch(/Acme Ltd\.[\s\S]*days of consulting \| 3 \| 500 \| \? \|[\s\S]*- the tax of line 1/)
  })

  test.each<[string, Scripted[] | undefined, string]>([
    ['without a model', undefined, 'template'],
    ['when the form comes back wrong', [{ ...data, iban: 'x' }, post('Thank you.')], 'scripted-1'],
  ])('is answered %s too', async (_what, script, model) => {
    const name = await put({ domain: 'accounting' }, MAIL)
    expect(await draftTask(JOB, depsWith(script).deps)).toMatchObject({ kind: 'drafted' })
    expect((await read(`Pending_Approval/accounting/${name}`)).front.drafted?.model).toBe(model)
    expect(await vault.exists(vaultPath('Plans/Invoice abcdef-1.md'))).toBe(false)
  })
})

describe('a thread that has turned into a bill', () => {
  const BILL = 'Dear customer, please pay 500.00 EUR to our account DE89 3704 0044 0532 0130 00 by 2026-12-01.'
  const source = { provider: 'imap', message_id: '<b@b.example>', from: 'a@b.example', reply_to: ['a@b.example'] }
  const from = { by: 'rule', rule: 'a-mail' }

  test.each(['email', 'accounting', 'general'])('goes from %s to the local zone as a payment, once', async (domain) => {
    const name = await put({ domain, source, classified: from }, BILL)
    const { deps, asked } = depsWith([])
    expect(await draftTask(JOB, deps)).toMatchObject({ kind: 'given-back' })
    expect(await draftTask(JOB, deps)).toEqual({ kind: 'lost' })
    expect(requests.map((one) => parseRequest(JSON.stringify(one)))).toEqual(requests)
    expect(requests).toMatchObject([{ kind: 'give-back', file: name, domain: 'payment', why: expect.any(String) }])
    expect(await notes()).toEqual([expect.stringContaining(`Handed over as payment: [[Needs_Action/payment/${name}|`)])
    expect(asked).toEqual([])
  })

  test.each<[string, object, string]>([
    ['the handbook sorted', { source, classified: { by: 'handbook', rule: 'line-3' } }, BILL],
    ['was handed back', { source, handed: { from: 'person', was: 'payment', at: DAY } }, BILL],
    ['is a note of the person’s own', { source: { provider: 'inbox', reply_to: ['a@b.example'] } }, BILL],
    ['only speaks of money', { source }, 'Thank you, we have paid the 500.00 EUR.'],
  ])('stays where it is if it %s', async (_what, front, text) => {
    await put(front, text)
    expect(await draftTask(JOB, depsWith([post('Thank you.')]).deps)).toMatchObject({ kind: 'drafted' })
    expect(requests).toEqual([])
  })
})

describe('a post of the calendar', () => {
  test('keeps its network and its time', async () => {
    const front = { domain: 'social', network: 'mastodon', not_before: '2026-11-23T08:00:00.000Z' }
    const name = await put({ ...front, source: { provider: 'calendar' } }, 'Topic: bicycles\nNetwork: Mastodon')
    await draftTask(JOB, depsWith([post('Ride!')]).deps)
    expect((await read(`Pending_Approval/social/${name}`)).front.action).toEqual({
      ...{ tool: 'social.publish_post', network: 'mastodon', account: '@you@social.example' },
      not_before: '2026-11-23T08:00:00.000Z',
    })
    expect(await vault.list('Needs_Action/social')).toEqual([])
  })
})

describe('a post', () => {
  test('for several networks becomes a task for each, once, and the first is drafted', async () => {
    const name = await put({ domain: 'social' }, 'Tell them that we open on Monday')
    await vault.create(vaultPath('Business_Goals.md'), '# Goals\n\nMore cyclists, see https://we.example/bike')
    const { deps, asked } = depsWith([post('We open. https://we.example/bike')])
    expect(await draftTask(JOB, deps)).toMatchObject({ kind: 'drafted' })
    const first = await read(`Pending_Approval/social/${name}`)
    expect(readAction(first)).toMatchObject({ ok: true, action: { network: 'bluesky', account: 'you.bsky.social' } })
    expect(first.front).toMatchObject({ network: 'bluesky', drafted: { by: 'cloud-draft-social', cost_usd: '0.01' } })
    expect(asked[0]).toMatchObject({ purpose: 'post' })
    expect(asked[0]?.prompt).toMatch(/Bluesky: at most 300 characters and 3000 bytes[\s\S]*More cyclists/)
    const [sibling = '', ...more] = await vault.list('Needs_Action/social')
    expect(more).toEqual([])
    const child = await read(sibling)
    expect(child.front).toMatchObject({ parent: ID, network: 'mastodon', generation: 0, title: 'Task (Mastodon)' })
    expect(child.front.id).not.toBe(ID)
    await vault.create(
      vaultPath(`In_Progress/cloud/${sibling.split('/').at(-1)}`),
      renderTaskFile(claimedBy(child, 'cloud', DAY)),
    )
    await vault.remove(vaultPath(sibling))
    expect(await draftTask({ taskId: child.front.id, generation: 1 }, deps)).toMatchObject({ kind: 'drafted' })
    expect(await vault.list('Needs_Action/social')).toEqual([])
    expect(await vault.list('Pending_Approval/social')).toHaveLength(2)
  })

  test('is only for the networks that it names', async () => {
    await put({ domain: 'social', title: 'For Mastodon' }, 'x')
    await draftTask(JOB, depsWith([post('y')]).deps)
    const [path = ''] = await vault.list('Pending_Approval/social')
    expect((await read(path)).front.action).toMatchObject({ network: 'mastodon' })
    expect(await vault.list('Needs_Action/social')).toEqual([])
  })

  test.each([
    ['too long', 'x'.repeat(301), 'Bluesky takes 300'],
    ['linking to what nobody named', 'See https://evil.example', 'a link that neither'],
    ['holding a place to fill in', 'Join us on [date]', 'place to fill in'],
  ])('%s is written once more, and else goes back', async (_what, bad, why) => {
    await put({ domain: 'social', network: 'bluesky' }, 'x')
    const repaired = depsWith([post(bad), post('Good.')])
    expect(await draftTask(JOB, repaired.deps)).toMatchObject({ kind: 'drafted' })
    expect(repaired.asked[1]?.prompt).toContain(why)
    const [path = ''] = await vault.list('Pending_Approval/social')
    await vault.remove(vaultPath(path))
    await put({ domain: 'social', network: 'bluesky' }, 'x')
    expect(await draftTask(JOB, depsWith([post(bad)]).deps)).toMatchObject({
      ...{ kind: 'given-back', reason: expect.stringContaining(why) },
    })
    expect(await vault.list('Pending_Approval/social')).toEqual([])
  })

  test.each<[string, Scripted[] | undefined]>([
    ['no model', undefined],
    ['a model that is not set up', [unanswered('not-configured', 'none')]],
  ])('with %s goes back once, and stays with whoever claims it after that', async (_what, script) => {
    const { deps } = depsWith(script)
    const name = await put({ domain: 'social' }, 'x')
    expect(await draftTask(JOB, deps)).toMatchObject({
      kind: 'given-back',
      reason: expect.stringContaining('draft_post'),
    })
    expect(requests).toHaveLength(1)
    const path = vaultPath(`In_Progress/cloud/${name}`)
    const again = claimedBy(givenBackBy(await read(path), 'cloud', DAY), 'cloud', DAY)
    await vault.replace(path, renderTaskFile(again))
    expect(await draftTask({ ...JOB, generation: 3 }, deps)).toEqual({ kind: 'left' })
    expect(await vault.exists(path)).toBe(true)
    expect([requests.length, (await notes()).length]).toEqual([1, 1])
  })

  test('goes back where there is no account for it, and where the model does not answer', async () => {
    await put({ domain: 'social', network: 'instagram' }, 'x')
    expect(await draftTask(JOB, depsWith([post('x')]).deps)).toMatchObject({
      reason: expect.stringContaining('Instagram'),
    })
    requests = []
    await vault.remove(vaultPath('In_Progress/cloud/POST_2026-11-20_task_abcdef.md'))
    await put({ domain: 'social', network: 'bluesky' }, 'x')
    expect(await draftTask(JOB, depsWith([unanswered('over-cap', 'the budget is spent')]).deps)).toEqual({
      ...{ kind: 'given-back', reason: 'the budget is spent' },
    })
  })

  test.each(['create', 'replaceIf', 'move'] as const)('ends the same after a crash before its %s', async (step) => {
    await put({ domain: 'social' }, 'x')
    const crash = new Error('crash')
    const { deps } = depsWith([post('y')], { [step]: () => Promise.reject(crash) })
    await expect(draftTask(JOB, deps)).rejects.toBe(crash)
    expect(await draftTask(JOB, depsWith([post('y')]).deps)).toMatchObject({ kind: 'drafted' })
    expect(await vault.list('Needs_Action/social')).toHaveLength(1)
    expect(await vault.list('Pending_Approval/social')).toHaveLength(1)
    expect(readdirSync(join(root, 'Updates/cloud'))).toHaveLength(1)
  })
})
