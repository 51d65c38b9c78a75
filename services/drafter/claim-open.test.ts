import { expect, test } from 'vitest'
import { claimedBy, givenBackBy } from '#core/claim.ts'
import type { SyncAnswer, SyncRequest } from '#core/sync-request.ts'
import { parseTaskFile, renderTaskFile } from '#core/task-file.ts'
import type { VaultPath } from '#core/vault-path.ts'
import { taskText } from '#tests/support/sync-world.ts'
import { claimOpen } from './claim-open.ts'

const FILE = 'PAYMENT_2026-11-20_rent_7h3k9q.md'
const payment = (more = '') => taskText({ more }).replace('domain: email', 'domain: payment')
const AT = '2026-11-20T10:00:00Z'

function zone(files: Record<string, string>) {
  const asked: SyncRequest[] = []
  const answers = new Map<string, SyncAnswer>()
  let rings = 0
  const deps = {
    vault: {
      list: async (folder: string) => Object.keys(files).filter((path) => path.startsWith(`${folder}/`)) as VaultPath[],
      read: async (path: VaultPath) => files[path],
    },
    agent: 'local',
    asking: {
      open: async () => asked,
      answerTo: async (id: string) => answers.get(id),
      ask: async (request: SyncRequest) => void asked.push(request),
    },
    ring: async () => void rings++,
  }
  return { asked, answers, files, claim: () => claimOpen(['payment', 'whatsapp'], deps), rings: () => rings }
}

test('an open task of its domains is asked for once, and anew when it came back', async () => {
  const world = zone({
    [`Needs_Action/payment/${FILE}`]: payment(),
    'Needs_Action/email/E_2026-11-20_x_7h3k9q.md': taskText(),
  })
  await world.claim()
  await world.claim()
  expect(world.asked).toMatchObject([{ kind: 'claim', file: FILE }])
  expect(world.rings()).toBe(1)
  const [first] = world.asked.splice(0)
  world.answers.set(first?.id ?? '', { kind: 'refused', rule: 'x', say: 'no' })
  await world.claim()
  expect(world.asked).toEqual([])
  world.files[`Needs_Action/payment/${FILE}`] = payment().replace(/generation: "\d+"/, 'generation: "2"')
  await world.claim()
  expect(world.asked).toHaveLength(1)
  expect(world.asked[0]?.id).not.toBe(first?.id)
})

test('what this agent gave back, what is kept for another, and what nobody can read is left alone', async () => {
  const parsed = parseTaskFile(payment())
  if (!parsed.ok) throw new Error(parsed.problem)
  const back = renderTaskFile(givenBackBy(claimedBy(parsed.task, 'local', AT), 'local', AT))
  const world = zone({
    [`Needs_Action/payment/${FILE}`]: back,
    'Needs_Action/payment/PAYMENT_2026-11-20_kept_7h3k9r.md': payment('for: other\n'),
    'Needs_Action/payment/PAYMENT_2026-11-20_torn_7h3k9s.md': 'no task',
  })
  await world.claim()
  expect(world.asked).toEqual([])
  expect(world.rings()).toBe(0)
})
