import { describe, expect, test } from 'vitest'
import { parseTaskFile, section, ticksOf } from '#core/task-file.ts'
import { vaultPath } from '#core/vault-path.ts'
import {
  type DraftOptions,
  type ExecutorHome,
  edit,
  makeHome,
  readLedger,
  tick,
  type Wrap,
  whereIs,
} from '#tests/support/executor.ts'

/** Everything that changes something outside the process's memory. */
const EFFECTS = {
  vault: ['create', 'replace', 'replaceIf', 'move', 'remove'],
  journal: [
    'presenting',
    'present',
    'withdraw',
    'sendBack',
    'unpresent',
    'freeze',
    'unfreeze',
    'intend',
    'consume',
    'settle',
    'keepUpdate',
  ],
  ledger: ['append'],
  mail: ['send', 'append'],
} as const

class Died extends Error {}

interface Life {
  readonly wrap: Wrap
  /** The effects in the order they were made. */
  readonly steps: string[]
}

/** A process that dies at its n-th effect: just before it, or just after it; afterwards nothing of it works any more. */
function lifeUntil(n: number, moment: 'before' | 'after'): Life {
  const steps: string[] = []
  let isDead = false
  const mortal = <T extends object>(name: keyof typeof EFFECTS, target: T): T =>
    new Proxy(target, {
      get(_target, key) {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function') return value
        const isEffect = (EFFECTS[name] as readonly string[]).includes(String(key))
        return (...args: unknown[]) => {
          if (isDead && typeof key === 'string') throw new Died()
          if (!isEffect) return value.apply(target, args)
          steps.push(`${name}.${String(key)}`)
          const isLast = steps.length === n
          if (isLast && moment === 'before') {
            isDead = true
            throw new Died()
          }
          const result: unknown = value.apply(target, args)
          if (!isLast) return result
          isDead = true
          if (result instanceof Promise) {
            return result.then(() => {
              throw new Died()
            })
          }
          throw new Died()
        }
      },
    })
  const wrap: Wrap = ({ vault, journal, ledger, mail }) => ({
    vault: mortal('vault', vault),
    journal: mortal('journal', journal),
    ledger: mortal('ledger', ledger),
    mail: mortal('mail', mail),
  })
  return { wrap, steps }
}

interface Story {
  readonly fileName: string
  readonly home: ExecutorHome
}

async function live(home: ExecutorHome, wrap: Wrap, passes: number): Promise<void> {
  const executor = await home.start(wrap)
  for (let index = 0; index < passes; index++) {
    await executor.pass().catch(() => {}) // Dead, and so are all later passes of this life.
    home.now += 60_000
  }
  await Promise.resolve(executor[Symbol.asyncDispose]()).catch(() => {})
}

interface Plot {
  decide(text: string): string
  readonly draft?: DraftOptions
  /** The life in which the process dies: while the draft is presented, or after the person's decision. */
  readonly dies?: 'presenting' | 'deciding'
  /** The person decides before the next start. */
  readonly isQuick?: boolean
}

/** Presents a draft, lets the person decide, and lives through it with a process that dies at effect n. */
async function play(plot: Plot, n: number, moment: 'before' | 'after') {
  const home = await makeHome()
  const { path, fileName } = await home.put('Pending_Approval/email', plot.draft)
  await home.vault.create(vaultPath('Updates/cloud/01J8Z3W6Q0ABCDEFGHJKMNPQRS.md'), 'A note.\n')
  const life = lifeUntil(n, moment)
  const whole: Wrap = (parts) => parts
  if (plot.dies === 'presenting') await live(home, life.wrap, 2)
  if (!plot.isQuick) await live(home, whole, 1)
  await edit(home, path, plot.decide)
  if (plot.dies !== 'presenting') await live(home, life.wrap, 2)
  await live(home, whole, 4)
  return { home, fileName, steps: life.steps }
}

async function textOf({ home, fileName }: Story): Promise<string> {
  const path = await home.vault.find(fileName)
  return (path && (await home.vault.read(path))) ?? ''
}

/** Effects of a story nobody dies in. */
async function stepsOf(plot: Plot): Promise<string[]> {
  const { home, steps } = await play(plot, 0, 'before')
  await home[Symbol.asyncDispose]()
  return steps
}

const APPROVE: Plot = { decide: tick('Approve') }
const REDRAFT: Plot = { decide: tick('Redraft') }
const REJECT: Plot = { decide: tick('Reject') }
const PRESENT: Plot = { decide: tick('Approve'), dies: 'presenting' }
const EXPIRED: Plot = { decide: tick('Approve'), draft: { expires: '2026-11-20T12:00:30.000Z' } }
const approveSteps = await stepsOf(APPROVE)
const redraftSteps = await stepsOf(REDRAFT)
const rejectSteps = await stepsOf(REJECT)
const presentSteps = await stepsOf(PRESENT)
const expiredSteps = await stepsOf(EXPIRED)
const cases = (steps: readonly string[]) =>
  steps.flatMap((step, index) => (['before', 'after'] as const).map((moment) => [moment, step, index + 1] as const))

describe('an approved task whose executor dies', () => {
  test('passes through every journaled state in the story nobody dies in', () => {
    const order = ['journal.freeze', 'journal.intend', 'journal.consume', 'mail.send', 'journal.settle', 'mail.append']
    expect(approveSteps.filter((step) => order.includes(step)).slice(0, 6)).toEqual([
      ...order.slice(0, 5),
      'mail.append',
    ])
  })

  test.each(cases(approveSteps))(
    '%s %s (effect %i) is sent at most once, and the next start converges',
    async (moment, step, n) => {
      const { home, fileName } = await play(APPROVE, n, moment)
      const place = await whereIs(home, fileName)
      const inDoubt =
        (step === 'journal.consume' && moment === 'after') ||
        step === 'mail.send' ||
        (step === 'journal.settle' && n === approveSteps.indexOf('journal.settle') + 1 && moment === 'before')
      if (inDoubt) {
        expect(place).toBe('Pending_Approval/email')
        expect(home.mail.delivered.length).toBeLessThanOrEqual(1)
        const parsed = parseTaskFile(await textOf({ home, fileName }))
        expect(parsed.ok && section(parsed.task, 'card')).toContain('Outcome unknown')
        expect(parsed.ok && ticksOf(parsed.task)).toEqual([])
        expect(readLedger(home)).toContain('execution.unknown')
      } else {
        expect(place).toBe('Done/2026-11')
        expect(home.mail.delivered).toHaveLength(1)
        expect(home.mail.filed).toEqual(home.mail.delivered)
        expect(await textOf({ home, fileName })).toContain('status: done')
        const ledger = readLedger(home)
        expect(ledger).toEqual(expect.arrayContaining(['task.approved', 'execution.intended', 'execution.done']))
        // Written again only when nothing tells that it was written: after a death between it and the file's outcome.
        const isTorn = ['ledger.append', 'vault.replaceIf'].includes(step)
        if (!isTorn) expect(ledger.filter((type) => type === 'execution.done')).toHaveLength(1)
      }
      expect(await home.vault.read(vaultPath('Dashboard.md'))).toContain('A note.')
      await home[Symbol.asyncDispose]()
    },
  )
})

describe('a task given back whose executor dies', () => {
  test.each(cases(redraftSteps))('%s %s (effect %i) stands in Needs_Action in the end', async (moment, _step, n) => {
    const { home, fileName } = await play(REDRAFT, n, moment)
    expect(await whereIs(home, fileName)).toBe('Needs_Action/email')
    expect(home.mail.delivered).toEqual([])
    await home[Symbol.asyncDispose]()
  })

  test.each(cases(rejectSteps))('%s %s (effect %i) stands in Rejected in the end', async (moment, _step, n) => {
    const { home, fileName } = await play(REJECT, n, moment)
    expect(await whereIs(home, fileName)).toBe('Rejected')
    expect(readLedger(home)).toContain('task.rejected')
    await home[Symbol.asyncDispose]()
  })
})

test.each(cases(presentSteps))(
  'an executor that dies %s %s (effect %i) while presenting a draft presents it again',
  async (moment, _step, n) => {
    const { home, fileName } = await play(PRESENT, n, moment)
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
    expect(home.mail.delivered).toHaveLength(1)
    await home[Symbol.asyncDispose]()
  },
)

const written = presentSteps.indexOf('vault.replaceIf') + 1
test.each(cases(presentSteps).filter(([moment, , n]) => n > written || (n === written && moment === 'after')))(
  'a card that was written before the executor died %s %s (effect %i) is decided on without another look',
  async (moment, _step, n) => {
    const { home, fileName } = await play({ ...PRESENT, isQuick: true }, n, moment)
    expect(await whereIs(home, fileName)).toBe('Done/2026-11')
    expect(home.mail.delivered).toHaveLength(1)
    await home[Symbol.asyncDispose]()
  },
)

test.each(cases(expiredSteps))(
  'a task that goes back while its executor dies %s %s (effect %i) says why',
  async (moment, _step, n) => {
    const { home, fileName } = await play(EXPIRED, n, moment)
    expect(await whereIs(home, fileName)).toBe('Pending_Approval/email')
    expect(await textOf({ home, fileName })).toContain('This draft expired')
    expect(home.mail.delivered).toEqual([])
    await home[Symbol.asyncDispose]()
  },
)
