import { expect, test, vi } from 'vitest'
import type { DashboardFacts } from '#core/dashboard-facts.ts'
import { CountersignError } from '#core/errors.ts'
import type { Notice } from '#core/notice-to-person.ts'
import type { Notifier, NotifierName, Told, ToldMemory } from '#core/ports/notifier.ts'
import { type NotifyDeps, notifyPerson } from './notify-person.ts'

const MINUTE = 60_000

const high = (...keys: string[]) =>
  ({
    waiting: keys.map((key) => ({
      path: `Pending_Approval/email/${key}.md`,
      title: key,
      level: 'high',
      key,
      at: undefined,
    })),
    alerts: [],
    news: { quarantine: undefined, silent: [] },
  }) as unknown as DashboardFacts

/** A way that remembers what it was handed, and fails while it is told to. */
function way(name: NotifierName, isOptional = false) {
  const notices: Notice[] = []
  const it = {
    ...{ name, isOptional, isOutside: false, notices, fails: false },
    async notify(notice: Notice) {
      if (it.fails) throw new CountersignError('ERR_NOTIFY_FAILED', `calling ${name}: refused`)
      notices.push(notice)
    },
  }
  return it
}

async function make(notifiers: Notifier[], change: Partial<NotifyDeps> = {}) {
  let kept: Partial<Record<NotifierName, Told>> = {}
  const memory: ToldMemory = {
    load: async () => structuredClone(kept),
    async save(told) {
      kept = structuredClone(told)
    },
  }
  const clock = { at: 1_000_000_000_000, now: () => clock.at }
  const count = vi.fn()
  const deps: NotifyDeps = {
    ...{ notifiers, memory, clock, log: { info() {}, warn() {} }, metrics: { count } },
    ...{ everyMs: 15 * MINUTE, olderThanMs: 24 * 60 * MINUTE, detail: 'titles', isQuiet: async () => false },
    ...change,
  }
  let person = await notifyPerson(deps)
  return {
    clock,
    count,
    async consider(facts: DashboardFacts) {
      person.consider(facts)
      await person.settled()
      return person.state()
    },
    async restart() {
      await person[Symbol.asyncDispose]()
      person = await notifyPerson(deps)
    },
    person: () => person,
  }
}

test('tells the first at once and the next ones together, and nothing again after a restart', async () => {
  const desktop = way('desktop')
  const { consider, restart, clock } = await make([desktop])
  await consider(high('a'))
  await consider(high('a', 'b'))
  clock.at += 14 * MINUTE
  await consider(high('a', 'b', 'c'))
  await restart()
  await consider(high('a', 'b', 'c'))
  expect(desktop.notices.map(({ count }) => count)).toEqual([1])
  clock.at += MINUTE
  await consider(high('a', 'b', 'c'))
  await restart()
  clock.at += 999 * MINUTE
  await consider(high('a', 'b', 'c'))
  expect(desktop.notices.map(({ lines }) => lines)).toEqual([['High risk: a'], ['High risk: b', 'High risk: c']])
})

test('one way that fails keeps no other waiting, is tried again ever later, and then tells everything', async () => {
  const [desktop, ntfy] = [way('desktop'), way('ntfy')]
  ntfy.fails = true
  const { consider, clock, count } = await make([desktop, ntfy])
  expect(await consider(high('a'))).toEqual([
    { name: 'desktop', isOptional: false, fault: undefined },
    { name: 'ntfy', isOptional: false, fault: 'calling ntfy: refused' },
  ])
  expect([desktop.notices.length, ntfy.notices.length]).toEqual([1, 0])
  const failures = () => count.mock.calls.filter(([, labels]) => labels.outcome === 'failed').length
  clock.at += MINUTE - 1
  await consider(high('a', 'b'))
  expect(failures()).toBe(1)
  clock.at += 1
  await consider(high('a', 'b'))
  clock.at += MINUTE
  await consider(high('a', 'b'))
  expect(failures()).toBe(2)
  clock.at += MINUTE
  ntfy.fails = false
  expect((await consider(high('a', 'b')))[1]?.fault).toBeUndefined()
  expect(ntfy.notices.map(({ count }) => count)).toEqual([2])
  expect(count).toHaveBeenCalledWith('countersign_notifications_total', { way: 'ntfy', outcome: 'sent' })
})

test('a desktop that nobody asked for may be absent', async () => {
  const desktop = way('desktop', true)
  desktop.fails = true
  const { consider, count } = await make([desktop])
  await consider(high('a'))
  expect(count.mock.calls).toEqual([['countersign_notifications_total', { way: 'desktop', outcome: 'absent' }]])
})

test('considering waits for nothing, and stopping ends what hangs', async () => {
  let handed: AbortSignal | undefined
  const hanging: Notifier = {
    ...{ name: 'webhook', isOutside: true, isOptional: false },
    notify: (_notice, signal) =>
      new Promise((_resolve, reject) => {
        handed = signal
        signal.addEventListener('abort', () => reject(new Error('aborted')))
      }),
  }
  const { person, count } = await make([hanging])
  person().consider(high('a'))
  person().consider(high('a', 'b'))
  await vi.waitUntil(() => handed !== undefined)
  await person()[Symbol.asyncDispose]()
  person().consider(high('c'))
  await person().settled()
  expect(count).not.toHaveBeenCalled()
})

test('what could not be remembered is no reason to stop', async () => {
  const desktop = way('desktop')
  const memory: ToldMemory = { load: async () => ({}), save: () => Promise.reject(new Error('ENOSPC')) }
  const { consider, clock } = await make([desktop], { memory })
  await consider(high('a'))
  clock.at += 15 * MINUTE
  await consider(high('a', 'b'))
  expect(desktop.notices.map(({ count }) => count)).toEqual([1, 1])
})
