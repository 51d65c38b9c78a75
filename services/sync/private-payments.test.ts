import { expect, test } from 'vitest'
import { makeSyncWorld, taskText } from '#tests/support/sync-world.ts'

const P = 'PAYMENT_2026-11-20_chairs_7h3k9q.md'
const SECRETS = ['Example Chairs', 'DE89370400440532013000', 'INV-2026-0042', 'BANK-REF-7', 'sha256:bbbb']
const ACTION = `action:
  tool: payment.pay
  payee: Example Chairs GmbH
  iban: DE89370400440532013000
  reference: INV-2026-0042
`
const OUTCOME = `outcome:
  status: done
  reason: BANK-REF-7. Kept on this machine as sha256:bbbb
`
const payment = (more: string, generation = 1) =>
  taskText({ generation, more }).replace('domain: email', 'domain: payment').replace('kind: EMAIL', 'kind: PAYMENT')

test('of a payment that local drew up, decided, made, rejected and finished, nothing ever reaches the hub', async () => {
  const { hub, local, cloud } = makeSyncWorld()
  const seen: string[] = []
  const look = async (path: string) => {
    // Something else goes to the hub in each round, so that a round that carried nothing is no proof.
    local.files.put(`Plans/round ${seen.length}.md`, `round ${seen.length}`)
    for (const zone of [local, cloud]) expect(await zone.sync()).toMatchObject({ kind: 'synced' })
    expect(local.files.text(path), path).toBeDefined()
    const files = hub.files()
    expect(files.get(`Plans/round ${seen.length}.md`)).toBeDefined()
    for (const [name, text] of files) {
      expect(name).not.toContain('payment')
      expect(name).not.toContain('PAYMENT')
      for (const secret of SECRETS) expect(text, `${name} after ${path}`).not.toContain(secret)
    }
    seen.push(path)
  }
  const move = async (from: string, to: string, text = payment(ACTION)) => {
    local.files.put(from, text)
    local.files.rename(from, to)
    await look(to)
  }
  local.files.put(`Needs_Action/payment/${P}`, payment(''))
  await look(`Needs_Action/payment/${P}`)
  await move(`Needs_Action/payment/${P}`, `In_Progress/local/${P}`)
  await move(`In_Progress/local/${P}`, `Pending_Approval/payment/${P}`)
  await move(`Pending_Approval/payment/${P}`, `Rejected/${P}`)
  await move(`Rejected/${P}`, `Pending_Approval/payment/${P}`)
  await move(`Pending_Approval/payment/${P}`, `Approved/${P}`)
  await move(`Approved/${P}`, `In_Progress/local/${P}`)
  // Back with the question whether it was done; a person may break the file meanwhile.
  await move(`In_Progress/local/${P}`, `Pending_Approval/payment/${P}`, payment(ACTION + OUTCOME))
  local.files.put(`Pending_Approval/payment/${P}`, `---\nbroken: [\n---\n${SECRETS.join(' ')}\n`)
  await look(`Pending_Approval/payment/${P}`)
  await move(`Pending_Approval/payment/${P}`, `Done/2026-11/${P}`, payment(ACTION + OUTCOME))
  expect(seen).toHaveLength(10)
})
