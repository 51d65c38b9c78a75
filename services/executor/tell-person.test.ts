import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { CountersignError } from '#core/errors.ts'
import type { ExecutorReport } from '#core/executor-report.ts'
import type { Notice } from '#core/notice-to-person.ts'
import type { Told } from '#core/ports/notifier.ts'
import { makeHome, moveToApproved, readDashboard } from '#tests/support/executor.ts'
import { reportKeeper } from './keep-report.ts'
import { notifyPerson } from './notify-person.ts'
import { onePass } from './run-executor.ts'

/** An executor's home whose passes tell the person by a way that can be out of order. */
async function makeTelling() {
  const home = await makeHome()
  onTestFinished(() => home[Symbol.asyncDispose]())
  const executor = await home.start()
  onTestFinished(() => executor[Symbol.asyncDispose]())
  const notices: Notice[] = []
  const state = { isOut: false, told: {} as Partial<Record<string, Told>>, reports: [] as ExecutorReport[] }
  const start = () =>
    notifyPerson({
      ...{ clock: executor.deps.clock, log: executor.deps.log, metrics: { count() {} } },
      notifiers: [
        {
          ...{ name: 'ntfy', isOutside: true, isOptional: false },
          async notify(notice) {
            if (state.isOut) throw new CountersignError('ERR_NOTIFY_FAILED', 'publishing to ntfy: it answered 503')
            notices.push(notice)
          },
        },
      ],
      memory: {
        load: async () => state.told,
        async save(told) {
          state.told = structuredClone(told)
        },
      },
      ...{ everyMs: 900_000, olderThanMs: 86_400_000, detail: 'titles', isQuiet: async () => false },
    })
  let person = await start()
  return {
    home,
    notices,
    state,
    async pass() {
      const config = { reconcileMs: 1_000, state: join(home.folder, 'state') }
      const report = async (one: ExecutorReport) => void state.reports.push(one)
      await onePass(executor.deps, { agents: ['cloud', 'local'], config, person, report })
      await person.settled()
    },
    async restart() {
      await person[Symbol.asyncDispose]()
      person = await start()
    },
  }
}

test('a mail of which nobody can tell whether it went out is told once, and is a question on the dashboard', async () => {
  const { home, notices, pass, restart } = await makeTelling()
  const { fileName } = await home.put('Pending_Approval/email')
  await pass()
  expect(notices).toEqual([])
  home.mail.outcome = { kind: 'unknown', reason: 'the connection broke' } as never
  await moveToApproved(home, fileName)
  for (let index = 0; index < 4; index++) await pass()
  expect(notices.map(({ lines, isUrgent }) => [lines, isUrgent])).toEqual([
    [['Outcome unknown: Invoice for March'], true],
  ])
  const text = await readDashboard(home)
  expect(text).toContain('### Was it done? Only you can find out\n\n- [Invoice for March]')
  expect(text).toContain('**1 waits for you (1 urgent)')
  await restart()
  home.now += 3_600_000
  await pass()
  expect(notices).toHaveLength(1)
})

test('an approval of what was never shown is told', async () => {
  const { home, notices, pass } = await makeTelling()
  await home.put('Approved')
  await pass()
  await pass()
  expect(notices.map(({ lines }) => lines)).toEqual([
    ['Refused: an approval was refused: nothing like it had been shown to you on this machine'],
  ])
  expect(await readDashboard(home)).toContain('⚠ an approval was refused')
})

test('a way that is out of order stands on the dashboard and in the report, and holds up nothing', async () => {
  const { home, notices, state, pass } = await makeTelling()
  state.isOut = true
  await home.put('Approved')
  const { fileName } = await home.put('Pending_Approval/email')
  await pass()
  await moveToApproved(home, fileName)
  await pass()
  expect(home.mail.delivered).toHaveLength(1)
  expect(await readDashboard(home)).toContain('⚠ publishing to ntfy: it answered 503')
  expect(state.reports.at(-1)?.notifiers).toEqual([
    { name: 'ntfy', isOptional: false, fault: 'publishing to ntfy: it answered 503' },
  ])
  state.isOut = false
  home.now += 60_000
  await pass()
  await pass()
  expect(notices).toHaveLength(1)
  expect(await readDashboard(home)).not.toContain('it answered 503')
  expect(state.reports.at(-1)?.problems).toEqual([])
})

test('the report is written when it says something else, and a disk that refuses is no reason to stop', async () => {
  const written: string[] = []
  let isFull = false
  const keep = reportKeeper(
    async (text) => {
      if (isFull) throw new Error('ENOSPC')
      written.push(text)
    },
    { warn() {} },
  )
  const report = (problem: string): ExecutorReport => ({ schema: 1, held: [], problems: [problem], notifiers: [] })
  await keep(report('a'))
  await keep(report('a'))
  isFull = true
  await keep(report('b'))
  isFull = false
  await keep(report('b'))
  expect(written.map((text) => JSON.parse(text).problems)).toEqual([['a'], ['b']])
})

test('what the gate keeps out stands before everything else, and is told', async () => {
  const { home, notices, pass } = await makeTelling()
  const state = join(home.folder, 'state')
  mkdirSync(state, { recursive: true })
  const at = new Date(home.now).toISOString()
  const vault = {
    needs_action: 0,
    in_progress: {},
    pending: 0,
    approved: 0,
    rejected: 0,
    done: 0,
    conflicts: 0,
    halted: false,
  }
  const quarantine = { head: 'abc', faults: ['path-owner: Approved/EMAIL_x.md'] }
  const sync = { state: 'hub refused by the gate', at, quarantine }
  const status = {
    schema: 1,
    zone: 'local',
    agent: 'local',
    at,
    health: 'degraded',
    problems: [],
    services: [],
    vault,
    sync,
  }
  writeFileSync(join(state, 'status.json'), JSON.stringify(status))
  await pass()
  expect((await readDashboard(home)).replaceAll('\\', '')).toContain(
    '⚠ kept out of this vault: path-owner: Approved/EMAIL_x.md',
  )
  expect(notices.map(({ lines }) => lines)).toEqual([['Refused: The hub holds what this machine refuses']])
  expect(readFileSync(join(state, 'status.json'), 'utf8')).toContain('quarantine')
})
