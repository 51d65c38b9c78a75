import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { startDemo } from '#tests/support/demo-process.ts'
import { STORY_LIMIT_MS } from '#tests/support/harmed-story.ts'

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
