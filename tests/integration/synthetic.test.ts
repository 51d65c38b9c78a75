import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { skillFolders } from '#adapters/skills/skill-folder.ts'
import type { TaskJob } from '#core/jobs.ts'
import { recognizeLanguage } from '#core/language.ts'
import { SYNTHETIC_OWNER } from '#core/synthetic.ts'
import { cloudDrafts } from '#services/drafter/cloud-drafts.ts'
import { draftTask } from '#services/drafter/draft-task.ts'
import { draftSynthetic, NO_GIVE_BACK, type SyntheticDeps } from '#services/drafter/main-synthetic.ts'
import { replyDrafter } from '#services/drafter/reply-drafter.ts'
import { triageSynthetic } from '#services/triage/main-synthetic.ts'

let state: string
let drafted: TaskJob[]
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'countersign-synthetic-'))
  drafted = []
})
afterEach(() => rmSync(state, { recursive: true }))

const skills = skillFolders(join(import.meta.dirname, '../../skills'))
/** As the drafter's main wires it. */
const draft: SyntheticDeps['draft'] = async (job, place) => {
  drafted.push(job)
  const common = {
    ...{ ...place, ask: undefined, clock: { now: Date.now }, zone: 'cloud' as const, agent: 'cloud' },
    ...{ openSkill: skills.open, ownerName: '', expiresAfterMs: 86_400_000 },
  }
  const drafts = cloudDrafts({
    ...{ ...common, ownerAddress: SYNTHETIC_OWNER, giveBack: NO_GIVE_BACK },
    write: replyDrafter({ ...common, skillName: 'cloud-draft-email', recognizeLanguage }),
    posts: { ...common, skillName: 'cloud-draft-social', accounts: [] },
    invoices: { ...common, skillName: 'cloud-odoo-draft' },
  })
  return draftTask(job, { ...common, giveBack: NO_GIVE_BACK, drafts })
}
const cloud = () => ({ state, agent: 'cloud', draft })
const waiting = () => readdirSync(join(state, 'synthetic/mail/vault/Needs_Action/email'))

it('a synthetic mail becomes a task, and the task a draft, beside the vault', async () => {
  const before = Date.now()
  await triageSynthetic(cloud())
  expect(waiting()).toHaveLength(1)
  expect(await draftSynthetic(cloud())).toBeGreaterThanOrEqual(before)
  expect(waiting()).toEqual([])
  expect(readdirSync(join(state, `synthetic/draft-${hostname()}/vault/Pending_Approval/email`))).toHaveLength(1)
})

it('none waits beside another, and none is drafted twice', async () => {
  await triageSynthetic(cloud())
  const [first] = waiting()
  await triageSynthetic(cloud())
  expect(waiting()).toEqual([first])
  await draftSynthetic(cloud())
  expect(await draftSynthetic(cloud())).toBeUndefined()
  expect(drafted).toHaveLength(1)
})

it('a task of another domain in its place is not drafted: that would have effects elsewhere', async () => {
  await triageSynthetic(cloud())
  const path = join(state, 'synthetic/mail/vault/Needs_Action/email', waiting()[0] ?? '')
  writeFileSync(path, readFileSync(path, 'utf8').replace('domain: email', 'domain: accounting'))
  await expect(draftSynthetic(cloud())).rejects.toThrow('not the synthetic mail')
  expect(drafted).toEqual([])
})

it('one that is not drafted is told, and is not tried for ever', async () => {
  await triageSynthetic(cloud())
  const lost = { ...cloud(), draft: async () => ({ kind: 'lost' as const }) }
  await expect(draftSynthetic(lost)).rejects.toThrow('not drafted: lost')
  expect(await draftSynthetic(lost)).toBeUndefined()
})
