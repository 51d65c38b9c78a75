import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Oid } from '#core/ports/repo.ts'
import { Attacker } from '#tests/support/git-attacker.ts'
import { makeHub, makeZones, openClone, taskText, type Zones } from '#tests/support/git-zones.ts'
import { openRealZone } from '#tests/support/real-zone.ts'

const NOTE = 'Updates/cloud/01K9ZZZZZZZZZZZZZZZZ8H3K9Q.md'
const OPEN = 'Needs_Action/email/EMAIL_2026-11-20_question_8h3k9q.md'
const DONE = 'Done/2026-11/EMAIL_2026-11-20_answered_9h3k9q.md'

let zones: Zones
let hub: string
let earlier: Oid
let head: Oid
/** The local zone at `head`. */
let settled: string

beforeAll(async () => {
  zones = await makeZones()
  hub = await makeHub(zones)
  settled = mkdtempSync(join(zones.root, 'settled-'))
  await using local = await openRealZone(zones, settled, hub)
  local.put('Dashboard.md', '# Dashboard\n')
  local.put(OPEN, taskText(0, 'Question', '01K9ZZZZZZZZZZZZZZZZ8H3K9Q'))
  local.put(DONE, taskText(1, 'Answered', '01K9ZZZZZZZZZZZZZZZZ9H3K9Q'))
  await local.sync()
  earlier = new Attacker(zones, hub).head()
  local.put('Plans/Trip.md', 'ours\n')
  expect(await local.sync()).toMatchObject({ kind: 'synced' })
  head = new Attacker(zones, hub).head()
})
afterAll(() => zones[Symbol.dispose]())

const note = (attacker: Attacker, on = head, text = 'x\n') =>
  attacker.commit({ parents: [on], files: { [NOTE]: text }, signer: 'cloud' })
const copyOf = (zone: string) => {
  const dir = mkdtempSync(join(zones.root, 'local-'))
  cpSync(zone, dir, { recursive: true })
  return dir
}

describe('the hub', () => {
  it.each(['refs/heads/other', 'refs/tags/v1', 'refs/notes/commits', 'refs/replace/x'])('keeps no %s', async (ref) => {
    const attacker = new Attacker(zones, await makeHub(zones, hub))
    expect(attacker.push(`${note(attacker)}:${ref}`).exitCode).not.toBe(0)
    expect(attacker.git(['ls-remote', attacker.hub])).not.toContain(ref)
  })

  it('refuses a good push together with another ref whole', async () => {
    const attacker = new Attacker(zones, await makeHub(zones, hub))
    const commit = note(attacker)
    expect(attacker.push(`${commit}:refs/heads/main`, `${commit}:refs/heads/other`).output).toMatch(/ref: only/)
    expect(attacker.git(['ls-remote', attacker.hub, 'refs/heads/main'])).toContain(head)
  })

  it.each([
    ['deletes main', () => ':refs/heads/main'],
    ['takes main back', () => `${earlier}:refs/heads/main`],
  ])('never %s, not even by force', async (_what, ref) => {
    const attacker = new Attacker(zones, await makeHub(zones, hub))
    expect(attacker.push('--force', ref()).exitCode).not.toBe(0)
    // Git itself refuses it too, with the gate out of the way.
    rmSync(join(attacker.hub, 'hooks', 'pre-receive'))
    expect(attacker.push('--force', ref()).output).toMatch(/non-fast-forward|deletion prohibited/)
    expect(attacker.git(['ls-remote', attacker.hub, 'refs/heads/main'])).toContain(head)
  })

  it('takes an honest commit, and so does local', async () => {
    const attacker = new Attacker(zones, await makeHub(zones, hub))
    const claimed = taskText(1, 'Question', '01K9ZZZZZZZZZZZZZZZZ8H3K9Q')
    const commit = attacker.commit({
      parents: [head],
      files: { [OPEN]: null, [OPEN.replace('Needs_Action/email', 'In_Progress/cloud')]: claimed, [NOTE]: 'claimed\n' },
      signer: 'cloud',
    })
    const pushed = attacker.push(`${commit}:refs/heads/main`)
    expect(pushed.exitCode, pushed.output).toBe(0)
    await using local = await openRealZone(zones, copyOf(settled), attacker.hub)
    expect(await local.sync()).toMatchObject({ kind: 'synced', report: { appliedCount: 3 } })
  })

  it.each([
    [
      'a task that is done',
      { [DONE.replace('Done/2026-11', 'Needs_Action/email')]: taskText(0) },
      'task-in-two-places',
    ],
    ['a plan in other letters', { 'Plans/TRIP.md': 'x\n' }, 'name-differs-only-in-case'],
  ])('looks for names that stand already: %s', async (_what, files, rule) => {
    const attacker = new Attacker(zones, await makeHub(zones, hub))
    const commit = attacker.commit({ parents: [head], files, signer: 'cloud' })
    expect(attacker.push(`${commit}:refs/heads/main`).output).toContain(rule)
  })

  it('judges as well where its folder has another path than it was made under, as in a container', async () => {
    const made = await makeHub(zones, hub)
    const elsewhere = `${made}-elsewhere`
    renameSync(made, elsewhere)
    const attacker = new Attacker(zones, elsewhere)
    const forged = attacker.commit({ parents: [head], files: { 'Approved/x.md': 'x\n' }, signer: 'cloud' })
    expect(attacker.push(`${forged}:refs/heads/main`).exitCode).not.toBe(0)
    expect(attacker.git(['ls-remote', attacker.hub, 'refs/heads/main'])).toContain(head)
  })

  it('refuses every push when the gate itself cannot run', async () => {
    const attacker = new Attacker(zones, await makeHub(zones, hub))
    writeFileSync(join(attacker.hub, 'hooks', 'pre-receive'), '#!/bin/sh\nexec /nonexistent/node\n')
    expect(attacker.push(`${note(attacker)}:refs/heads/main`).exitCode).not.toBe(0)
    expect(attacker.git(['ls-remote', attacker.hub, 'refs/heads/main'])).toContain(head)
  })

  it('that was lost is filled again by either agent, with what both had signed', async () => {
    const attacker = new Attacker(zones, hub)
    const both = note(attacker)
    const fresh = await makeHub(zones)
    const env = { ...process.env, GIT_DIR: attacker.dir, COUNTERSIGN_HUB_AGENT: 'local' }
    execFileSync('git', ['push', '-q', fresh, `${both}:refs/heads/main`], { env, stdio: 'pipe' })
    expect(attacker.git(['ls-remote', fresh, 'refs/heads/main'])).toContain(both)
  })
})

describe('a clone', () => {
  it('brings nothing of a hub but main', async () => {
    const attacker = new Attacker(zones, hub)
    const commit = note(attacker)
    attacker.serve(commit)
    for (const ref of ['refs/tags/v1', 'refs/heads/other', 'refs/notes/commits', `refs/replace/${head}`])
      attacker.git(['update-ref', ref, note(attacker, head, `${ref}\n`)])
    await using local = await openRealZone(zones, copyOf(settled), attacker.dir)
    expect(await local.sync()).toMatchObject({ kind: 'synced' })
    const refs = execFileSync('git', ['--git-dir', local.gitDir, 'for-each-ref', '--format=%(refname)'])
    expect(refs.toString().trim().split('\n')).toEqual(
      expect.not.arrayContaining([expect.stringMatching(/^refs\/(?!countersign\/)/)]),
    )
    expect(local.files()[NOTE]).toBe('x\n')
  })

  it('verifies a history of hundreds of commits when it is new', async () => {
    const attacker = new Attacker(zones, hub)
    let last = head
    for (let number = 0; number < 300; number++) last = note(attacker, last, `${number}\n`)
    attacker.serve(last)
    await using local = await openClone(zones, 'local', attacker.dir)
    expect(await local.fetch()).toEqual({ kind: 'ok', head: last })
    await using zone = await openRealZone(zones, copyOf(settled), attacker.dir)
    expect(await zone.sync()).toMatchObject({ kind: 'synced' })
    expect(zone.files()[NOTE]).toBe('299\n')
  })
})

describe('a hub that shows another history', () => {
  it('its own, older one gets back what it lost (T5)', async () => {
    const attacker = new Attacker(zones, hub)
    attacker.serve(earlier)
    await using local = await openRealZone(zones, copyOf(settled), attacker.dir)
    expect(await local.sync()).toMatchObject({ kind: 'restored', from: earlier, to: head })
    expect(attacker.git(['rev-parse', 'refs/heads/main'])).toBe(head)
    expect(local.ledger().map(({ type }) => type)).toContain('hub.rolled-back')
  })

  it('one that leaves it is refused, and nothing of it is applied (T5)', async () => {
    const attacker = new Attacker(zones, hub)
    attacker.serve(note(attacker, earlier))
    await using local = await openRealZone(zones, copyOf(settled), attacker.dir)
    const before = local.files()
    expect(await local.sync()).toMatchObject({ kind: 'refused', faults: [{ rule: 'hub-rolled-back' }] })
    expect(local.files()).toEqual(before)
  })

  it('one without any of ours is refused, also by a clone that is new', async () => {
    const attacker = new Attacker(zones, hub)
    attacker.serve(attacker.commit({ parents: [], files: { 'Dashboard.md': 'x\n' }, signer: 'cloud' }))
    await using local = await openRealZone(zones, copyOf(settled), attacker.dir)
    expect(await local.sync()).toMatchObject({ kind: 'refused', faults: [{ rule: 'hub-rolled-back' }] })
    await using fresh = await openRealZone(zones, mkdtempSync(join(zones.root, 'fresh-')), attacker.dir)
    expect(await fresh.sync()).toMatchObject({ kind: 'refused', faults: [{ rule: 'local-only-path' }] })
  })
})
