import { describe, expect, it } from 'vitest'
import { guardScan, rememberingScan, ruleScan, scanInLayers } from '#core/content-scan.ts'
import type { ContentScan } from '#core/ports/content-scan.ts'
import { parseGuard, renderGuard } from '#core/secret-guard.ts'
import { noise } from '#tests/secrets/noise.ts'
import { makeSyncWorld, type SyncZone, taskText } from '#tests/support/sync-world.ts'

const PASSWORD = 'Blaue-Katze-17-lacht'
const GUARD = parseGuard(
  renderGuard([{ name: 'imap-password', bytes: Buffer.from(PASSWORD), kind: 'text' }], new Uint8Array(32)),
)
const F = 'EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'
const NEEDS = `Needs_Action/email/${F}`
const CLOUD = `In_Progress/cloud/${F}`
const PENDING = `Pending_Approval/email/${F}`

function guardedWorld() {
  const world = makeSyncWorld()
  for (const zone of [world.cloud, world.local]) zone.scan = scanInLayers([guardScan(GUARD), ruleScan])
  return world
}
const sync = async (zone: SyncZone) => {
  const outcome = await zone.sync()
  if (outcome.kind !== 'synced') throw new Error(`the cycle ended as ${JSON.stringify(outcome)}`)
  return outcome.report
}
const ledgerOf = (zone: SyncZone) =>
  [...zone.files.files()]
    .filter(([path]) => path.startsWith(`Logs/${zone.zone}/`))
    .map(([, text]) => text)
    .join('\n')

describe('a file with a secret', () => {
  it('is held back alone: the rest goes on, and ledger and report name path and rule', async () => {
    const { hub, local } = guardedWorld()
    local.files.put('Plans/wifi.md', `the mailbox opens with ${PASSWORD}\n`)
    local.files.put('Plans/trip.md', 'by train\n')
    const report = await sync(local)
    expect(report.held).toEqual([{ path: 'Plans/wifi.md', rule: 'known-secret.imap-password' }])
    await sync(local)
    expect([...hub.files().keys()].filter((path) => !path.startsWith('Logs/'))).toEqual(['Plans/trip.md'])
    expect(ledgerOf(local)).toContain('"data":{"path":"wifi.md","rule":"known-secret.imap-password"}')
    expect(ledgerOf(local).match(/path\.held/g)).toHaveLength(1)
    expect(ledgerOf(local)).not.toContain(PASSWORD)
  })

  it('goes out once the secret is taken out of it', async () => {
    const { hub, local } = guardedWorld()
    local.files.put('Plans/wifi.md', `${PASSWORD}\n`)
    await sync(local)
    local.files.put('Plans/wifi.md', 'ask me\n')
    expect((await sync(local)).held).toEqual([])
    expect(hub.files().get('Plans/wifi.md')).toBe('ask me\n')
  })

  it('stays where the last version without it is known, until then', async () => {
    const { cloud, local } = guardedWorld()
    local.files.put('Plans/wifi.md', 'first\n')
    await sync(local)
    local.files.put('Plans/wifi.md', `first\n${[...PASSWORD].reverse().join('')}\n`)
    await sync(local)
    await sync(cloud)
    expect(cloud.files.text('Plans/wifi.md')).toBe('first\n')
    expect(local.files.text('Plans/wifi.md')).toContain('first')
  })

  it('is a draft that the cloud cannot hand in', async () => {
    const { hub, cloud } = guardedWorld()
    cloud.files.put(NEEDS, taskText())
    await sync(cloud)
    await sync(cloud)
    const draft = taskText({ generation: 1, body: `Dear thief: ${Buffer.from(PASSWORD).toString('base64')}` })
    cloud.files.rename(CLOUD, PENDING)
    cloud.files.put(PENDING, draft)
    expect((await sync(cloud)).held).toEqual([{ path: PENDING, rule: 'known-secret.imap-password' }])
    expect([...hub.files().keys()]).toContain(CLOUD)
    expect([...hub.files().keys()]).not.toContain(PENDING)
  })

  it('is not named when its name carries the secret', async () => {
    const { hub, local } = guardedWorld()
    local.files.put(`Inbox/${PASSWORD}.md`, 'x\n')
    expect((await sync(local)).held).toEqual([{ path: 'Inbox/...', rule: 'known-secret.imap-password-in-name' }])
    await sync(local)
    expect(ledgerOf(local)).toContain('"rule":"known-secret.imap-password-in-name"')
    expect(ledgerOf(local)).not.toContain(PASSWORD)
    expect([...hub.files()].flat().join()).not.toContain(PASSWORD)
  })

  it('is kept beside the hub’s version when both changed, and never leaves', async () => {
    const { hub, cloud, local } = guardedWorld()
    local.files.put('Plans/wifi.md', 'first\n')
    await sync(local)
    await sync(cloud)
    local.files.put('Plans/wifi.md', `mine: ${PASSWORD}\n`)
    await sync(local)
    cloud.files.put('Plans/wifi.md', 'theirs\n')
    await sync(cloud)
    await sync(local)
    await sync(local)
    const texts = [...local.files.files()].filter(([path]) => path.startsWith('Plans/'))
    expect(texts).toContainEqual(['Plans/wifi.md', 'theirs\n'])
    expect(texts).toContainEqual([expect.stringMatching(/wifi\.conflict-local-/), `mine: ${PASSWORD}\n`])
    expect([...hub.files().values()].join()).not.toContain(PASSWORD)
    expect((await sync(local)).held).toEqual([
      { path: expect.stringMatching(/wifi\.conflict-local-/), rule: 'known-secret.imap-password' },
    ])
  })
})

describe('the scan before the commit', () => {
  it('keeps everything back when it fails, and nothing once it works again', async () => {
    const { hub, local } = guardedWorld()
    const broken: ContentScan = { scan: () => Promise.reject(new Error('out of memory')) }
    const working = local.scan
    local.scan = scanInLayers([broken])
    local.files.put('Plans/trip.md', 'by train\n')
    expect((await sync(local)).held).toEqual([{ path: 'Plans/...', rule: 'scan.failed-in-name' }])
    expect(hub.head).toBeNull()
    local.scan = working
    local.restart()
    expect((await sync(local)).held).toEqual([])
    expect([...hub.files().keys()]).toContain('Plans/trip.md')
  })

  it('looks at the new part of a ledger alone, and at a moved file not at all', async () => {
    const { cloud } = guardedWorld()
    const seen: string[] = []
    cloud.scan = {
      async scan({ path, bytes }) {
        seen.push(`${path} ${bytes.length > 64 * 1024 ? 'whole' : 'part'} ${Buffer.from(bytes).toString().slice(0, 3)}`)
        return []
      },
    }
    const lines = (count: number) => 'a line of the ledger of this zone\n'.repeat(count)
    cloud.files.put('Logs/cloud/2026-11-19.jsonl', lines(4_000))
    cloud.files.put('Plans/trip.md', 'by train\n')
    await sync(cloud)
    seen.length = 0
    cloud.files.put('Logs/cloud/2026-11-19.jsonl', lines(4_002))
    await sync(cloud)
    expect(seen.filter((one) => one.startsWith('Logs/cloud/2026-11-19') && one.includes('whole'))).toEqual([])
    expect(seen.some((one) => one.startsWith('Logs/cloud/2026-11-19.jsonl part'))).toBe(true)
  })

  it('looks at the same bytes once', async () => {
    let calls = 0
    const scan = rememberingScan({
      async scan() {
        calls++
        return [{ rule: 'secret.password', kind: 'block' }]
      },
    })
    const content = { path: 'Plans/x.md', bytes: Buffer.from('x') }
    expect(await scan.scan(content)).toEqual(await scan.scan({ ...content, bytes: Buffer.from('x') }))
    expect(calls).toBe(1)
  })
})

describe('what comes from the hub', () => {
  it('is refused by the clone when it carries a secret, also one that the next commit takes out', async () => {
    const { hub, cloud, local } = guardedWorld()
    local.files.put('Plans/trip.md', 'by train\n')
    await sync(local)
    const clean = hub.head
    // A cloud whose own scan was taken away.
    cloud.scan = { scan: async () => [] }
    await sync(cloud)
    cloud.files.put('Plans/wifi.md', `${PASSWORD}\n`)
    await sync(cloud)
    cloud.files.put('Plans/wifi.md', 'nothing to see\n')
    await sync(cloud)
    expect(hub.head).not.toBe(clean)
    const outcome = await local.sync()
    expect(outcome).toMatchObject({
      kind: 'refused',
      faults: [{ rule: 'known-secret.imap-password', detail: 'Plans/wifi.md' }],
    })
    expect(local.files.text('Plans/wifi.md')).toBeUndefined()
    expect(JSON.stringify(outcome) + ledgerOf(local)).not.toContain(PASSWORD)
  })

  it('does not get its words into this machine’s ledger, where they would keep that back', async () => {
    const { cloud, local } = guardedWorld()
    local.files.put('Plans/trip.md', 'by train\n')
    const { head } = await sync(local)
    await sync(cloud)
    const token = `${'ghp'}_${noise(36)}`
    const oid = await cloud.repo.writeBlob(Buffer.from('x\n'))
    const commit = await cloud.repo.commitTree({
      parent: head,
      changes: [{ path: `Odd/${token}.md`, oid }],
      message: 'x',
    })
    await cloud.repo.push({ commit, expected: head })
    expect((await local.sync()).kind).toBe('refused')
    expect(ledgerOf(local)).toContain('gate.refused')
    expect(ledgerOf(local)).not.toContain(token)
  })
})
