import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { putBackInto } from '#adapters/zone-copy/put-back.ts'
import { hasStrace } from '#tests/support/strace.ts'

const ENTRIES = ['.env.cloud', 'keys', 'state', 'vault']

// A restore that has begun to move is killed at each of its renames.
test.runIf(hasStrace)(
  'whenever a restore is killed, no service finds half a zone, and the next run finishes it',
  async () => {
    let kills = 0
    for (let nth = 1; ; nth++) {
      const home = await begun()
      const isDone = finishKilledAt(home, nth)
      const present = readdirSync(home).filter((name) => ENTRIES.includes(name))
      // Without state/ no container starts; with it, the zone is the old one whole, or the new one.
      if (present.includes('state'))
        expect(present.map((name) => whose(home, name))).toEqual(fourOf(whose(home, 'state')))
      if (isDone) break
      kills++
      const place = putBackInto(home)
      const plan = await place.plan()
      expect(plan).toBeDefined()
      if (plan) await place.finish(plan)
      expect(ENTRIES.map((name) => whose(home, name))).toEqual(fourOf('new'))
      expect(ENTRIES.map((name) => whose(join(home, plan?.aside ?? ''), name))).toEqual(fourOf('old'))
      expect(existsSync(join(home, 'restoring'))).toBe(false)
    }
    expect(kills).toBe(2 * ENTRIES.length)
  },
)

// Names can be on the disk before what they name: after a power cut there would be empty files.
test.runIf(hasStrace)('everything fetched is on the disk before anything is moved', () => {
  const home = mkdtempSync(join(tmpdir(), 'countersign-put-back-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  const zone = join(home, 'restoring/zone')
  mkdirSync(join(zone, 'vault/Done'), { recursive: true })
  for (const path of ['keys', 'vault/note.md', 'vault/Done/old.md']) writeFileSync(join(zone, path), path)
  const text = `
    const at = '2026-11-20T10:00:00.000Z'
    await place.commit({ snapshot: 'f'.repeat(64), zone: 'cloud', agent: 'cloud', made: at, at })`
  const log = join(home, 'calls')
  const { status, stderr } = underStrace(['-y', '-o', log, '-e', 'trace=fsync,rename'], text, home)
  expect(stderr).toBe('')
  expect(status).toBe(0)
  const calls = readFileSync(log, 'utf8').split('\n')
  const committed = calls.findIndex((line) => line.includes('rename(') && line.includes('plan.json'))
  const synced = calls.slice(0, committed).flatMap((line) => /fsync\(\d+<([^>]+)>/.exec(line)?.[1] ?? [])
  const below = ['', '/keys', '/vault', '/vault/note.md', '/vault/Done', '/vault/Done/old.md']
  expect(synced).toEqual(expect.arrayContaining(below.map((path) => zone + path)))
})

const fourOf = (one: string) => ENTRIES.map(() => one)

async function begun(): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'countersign-put-back-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  fill(home, 'old')
  const place = putBackInto(home)
  await place.begin()
  fill(place.zoneFolder, 'new')
  const at = '2026-11-20T10:00:00.000Z'
  await place.commit({ snapshot: 'f'.repeat(64), zone: 'cloud', agent: 'cloud', made: at, at })
  return home
}

function fill(folder: string, text: string): void {
  for (const name of ENTRIES) {
    if (name.startsWith('.')) writeFileSync(join(folder, name), text)
    else {
      mkdirSync(join(folder, name))
      writeFileSync(join(folder, name, 'whose'), text)
    }
  }
}

function whose(folder: string, name: string): string {
  return readFileSync(join(folder, name, name.startsWith('.') ? '' : 'whose'), 'utf8')
}

function finishKilledAt(home: string, nth: number): boolean {
  const inject = ['-o', '/dev/null', '-e', 'trace=rename', '-e', `inject=rename:signal=SIGKILL:when=${nth}`]
  const { status, stderr } = underStrace(inject, 'await place.finish(await place.plan())', home)
  if (status === 1) throw new Error(stderr)
  return status === 0
}

function underStrace(options: readonly string[], then: string, home: string) {
  const text = `
    import { putBackInto } from '${join(import.meta.dirname, '../../adapters/zone-copy/put-back.ts')}'
    const place = putBackInto(process.argv[1])
    ${then}`
  return spawnSync(
    'strace',
    ['-f', '-qq', ...options, process.execPath, '--input-type=module-typescript', '-e', text, home],
    { env: { PATH: process.env.PATH, UV_THREADPOOL_SIZE: '1' }, encoding: 'utf8' },
  )
}
