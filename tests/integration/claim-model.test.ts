import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'

const MODEL = resolve('docs/models/claim.pml')
const PROGRAMS = ['spin', 'gcc']
const missing = PROGRAMS.filter((program) => spawnSync(program, ['--version']).error !== undefined)

it.runIf(process.env.CI)('the model checker is on this machine, so that the claim protocol is checked', () => {
  expect(missing, `not found: install ${missing.join(' and ')}`).toEqual([])
})

/** What spin says after it has looked at every state the model can reach: `errors: 0`, or the kind of harm it found. */
function check(defines: readonly string[], isLong = true): string {
  const folder = mkdtempSync(join(tmpdir(), 'claim-model-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const run = (program: string, args: readonly string[]) =>
    execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const isLive = defines.includes('LIVE')
  run('spin', ['-a', ...defines.map((one) => `-D${one}`), MODEL])
  const kind = isLive ? ['-DNFAIR=4'] : ['-DSAFETY']
  run('gcc', [isLong ? '-O2' : '-O0', '-w', '-DVECTORSZ=2048', ...kind, '-o', 'pan', 'pan.c'])
  const out = run('./pan', ['-m100000', '-w22', ...(isLive ? ['-a', '-f'] : [])])
  const harm = /^pan:\d+: (assertion violated|acceptance cycle)/m.exec(out)?.[1]
  if (harm !== undefined) return harm
  // A search that was cut short has proved nothing.
  expect(out).not.toMatch(/max search depth too small|out of memory|Search not completed/i)
  return /errors: \d+/.exec(out)?.[0] ?? out
}

describe.skipIf(missing.length > 0)('the claim protocol (needs spin and gcc on this machine)', () => {
  it.each([
    ['two agents and two tasks', ['AGENTS=2', 'TASKS=2']],
    ['three agents and one task', ['AGENTS=3', 'TASKS=1', 'CRASHES=0']],
    ['a task that is born on one machine', ['AGENTS=2', 'TASKS=1', 'OFFLINE']],
  ])('never has two owners: %s', (_what, defines) => {
    expect(check(defines)).toBe('errors: 0')
  })

  it.each([
    ['two agents and two tasks', ['AGENTS=2', 'TASKS=2', 'CRASHES=0', 'RELEASES=0']],
    ['a task that is born on one machine', ['AGENTS=2', 'TASKS=1', 'OFFLINE']],
  ])('has every task owned in the end, where the connection does: %s', (_what, defines) => {
    expect(check([...defines, 'LIVE'])).toBe('errors: 0')
  })

  it.each([
    ['a lost race is replayed without looking', ['REPLAY'], 'assertion violated'],
    ['a claim has no nonce', ['NO_NONCE'], 'assertion violated'],
    ['the hub forgets what it acknowledged', ['LOSES'], 'assertion violated'],
    ['a task is claimed offline after a push of it had begun', ['OFFLINE', 'LATE'], 'assertion violated'],
    ['a task is taken away by the clock', ['CLOCK'], 'assertion violated'],
    ['an owner reconsiders what it has begun to give back', ['RETURNS'], 'assertion violated'],
    ['the connection never lasts', ['OFFLINE', 'LIVE', 'CUT'], 'acceptance cycle'],
  ])('breaks where %s', (_what, defines, harm) => {
    expect(check(['AGENTS=2', 'TASKS=1', ...defines], false)).toBe(harm)
  })
})
