import { expect, test } from 'vitest'
import { ownAge } from './own-age.ts'

/** A machine whose two clocks are set by hand, ms. */
function machine(report = '') {
  const self = { now: 1_000_000, ticks: 0, report, asked: 0, isSetBack: false }
  const age = ownAge({
    isSetBack: () => self.isSetBack,
    syncReport: async () => self.report,
    askSync: () => void self.asked++,
    clock: { now: () => self.now },
    monotonic: () => self.ticks,
  })
  const pass = (ms: number) => {
    self.now += ms
    self.ticks += ms
  }
  const synced = (at: number) => {
    self.report = JSON.stringify({
      state: 'ok',
      at: new Date(at).toISOString(),
      lastSuccessAt: new Date(at).toISOString(),
    })
  }
  return { self, age, pass, synced }
}

test('a state on which there never was a sync is as new as it gets', async () => {
  expect(await machine().age.look()).toEqual({ kind: 'known' })
})

test('what sync found before this process began says nothing; what it finds afterwards does', async () => {
  const { age, pass, synced, self } = machine()
  synced(self.now - 1)
  expect(await age.look()).toEqual({ kind: 'asking', since: 1_000_000, until: 1_010_000 })
  pass(2_000)
  expect(await age.look()).toEqual({ kind: 'asking', since: 1_000_000, until: 1_010_000 })
  expect(age.isAsking()).toBe(true)
  expect(self.asked).toBe(1)
  synced(self.now)
  expect(await age.look()).toEqual({ kind: 'known' })
  expect(age.isAsking()).toBe(false)
  self.report = 'not a report'
  expect(await age.look()).toEqual({ kind: 'known' })
})

test.each([
  'not a report',
  '{"state":"ok","at":"","lastSuccessAt":null}',
  '{"state":"ok","at":"","lastSuccessAt":"soon"}',
])('a report that says nothing is waited for, and not for ever: %s', async (report) => {
  const { age, pass } = machine(report)
  expect(await age.look()).toMatchObject({ kind: 'asking' })
  pass(10_000)
  expect(await age.look()).toEqual({ kind: 'unknown', since: 1_000_000 })
  expect(age.isAsking()).toBe(false)
})

test('a report from the future is of another clock, and says nothing', async () => {
  const { age, synced, self } = machine()
  synced(self.now + 60_000)
  expect(await age.look()).toMatchObject({ kind: 'asking' })
})

test.each([6_000, -6_000])('a clock that jumps by %i ms has the hub asked again', async (jump) => {
  const { age, pass, synced, self } = machine()
  synced(self.now)
  expect(await age.look()).toEqual({ kind: 'known' })
  pass(86_400_000)
  expect(await age.look()).toEqual({ kind: 'known' })
  self.now += jump
  synced(self.now - 1)
  expect(await age.look()).toMatchObject({ kind: 'asking', since: self.now })
  pass(100)
  synced(self.now)
  expect(await age.look()).toEqual({ kind: 'known' })
})

test('a mark of a set-back that came after the start ends this process', () => {
  const { age, self } = machine()
  age.demandNewest()
  self.isSetBack = true
  expect(() => age.demandNewest()).toThrow(expect.objectContaining({ code: 'ERR_FENCED' }))
})
