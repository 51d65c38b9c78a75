import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { startDemo } from '#tests/support/demo-process.ts'
import type { StepResult } from '../../demo/narrator.ts'
import { runDemo } from '../../demo/run-demo.ts'
import type { World } from '../../demo/world.ts'

const STORY_LIMIT_MS = 240_000

/** Plays the story with some harm done after one step. Gives the steps that were not verified. */
async function storyWith(after: string, harm: (world: World) => Promise<void>): Promise<StepResult[]> {
  const failed: StepResult[] = []
  await runDemo({
    keep: false,
    mailbox: 'dev',
    env: process.env,
    signal: new AbortController().signal,
    narrator: {
      say() {},
      begin() {},
      end: (result) => void (result.ok || failed.push(result)),
      summary() {},
    },
    afterStep: async (step, world) => {
      if (step === after) await harm(world)
    },
  })
  return failed
}

test.each([
  ['cloud/triage', 'mail-sent'],
  ['cloud/sync', 'triaged'],
  ['cloud/drafter', 'triaged'],
  ['cloud/health', 'triaged'],
  ['cloud/redis', 'triaged'],
  ['local/sync', 'card'],
  ['local/sync', 'approved'],
  ['local/executor', 'local-up'],
  ['local/executor', 'approved'],
  ['local/health', 'approved'],
  ['local/redis', 'approved'],
])(
  'kill -9 of %s after %s: the story still ends, with exactly one mail',
  async (name, after) => {
    let restarts = 0
    const failed = await storyWith(after, async (world) => {
      await world.kill(name)
      while (restarts === 0) {
        await delay(20)
        restarts = world.supervisor.state().find((one) => one.name === name)?.restarts ?? 0
      }
    })
    expect(failed).toEqual([])
    expect(restarts).toBeGreaterThan(0)
  },
  STORY_LIMIT_MS,
)

test.each([
  ['cloud', 'triaged'],
  ['local', 'approved'],
] as const)(
  'flushing the %s Redis after %s loses nothing',
  async (zone, after) => {
    expect(await storyWith(after, (world) => world.flushRedis(zone))).toEqual([])
  },
  STORY_LIMIT_MS,
)

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const
const STEPS = ['world', 'cloud-up', 'triaged', 'drafted', 'local-up', 'approved', 'delivered']

test.each(SIGNALS.map((signal) => [signal]))(
  '%s at a random point leaves no process, no container and no folder',
  async (signal) => {
    const temporary = await mkdtemp(join(tmpdir(), 'interrupted-'))
    onTestFinished(() => rm(temporary, { recursive: true, force: true }))
    const step = STEPS[Math.floor(Math.random() * STEPS.length)] as string
    const pauseMs = Math.floor(Math.random() * 1_000)
    const demo = startDemo(['--mailbox', 'dev'], temporary)
    await demo.reached(step)
    await delay(pauseMs)
    demo.kill(signal)
    await demo.ended
    // After a SIGKILL the reaper needs a moment; after the others nothing is left once the demo has ended.
    for (let tries = 0; signal === 'SIGKILL' && tries < 100; tries++) {
      if ((await readdir(temporary)).length + (await demo.leftovers()).length === 0) break
      await delay(100)
    }
    const when = `${pauseMs} ms after ${step}`
    expect([when, await readdir(temporary), await demo.leftovers()]).toEqual([when, [], []])
  },
  STORY_LIMIT_MS,
)
