import { setTimeout as delay } from 'node:timers/promises'
import type { StepResult } from '../../demo/narrator.ts'
import { runDemo } from '../../demo/run-demo.ts'
import type { World } from '../../demo/world.ts'

export const STORY_LIMIT_MS = 240_000

/** Plays the story with some harm done after one step. Gives the steps that were not verified, and what the logs say. */
export async function storyWith(
  after: string,
  harm: (world: World) => Promise<void>,
): Promise<(StepResult | string)[]> {
  const failed: StepResult[] = []
  const said: string[] = []
  await runDemo({
    keep: false,
    mailbox: 'dev',
    env: process.env,
    signal: new AbortController().signal,
    narrator: {
      say: (line) => void said.push(line),
      begin() {},
      end: (result) => void (result.ok || failed.push(result)),
      summary() {},
    },
    afterStep: async (step, world) => {
      if (step === after) await harm(world)
    },
  })
  return failed.length > 0 ? [...failed, ...said] : []
}

/** The story with a process killed after one step; the kill is over when another has taken its place. */
export async function storyWithKill(name: string, after: string) {
  let isKilled = false
  const failed = await storyWith(after, async (world) => {
    await world.kill(name)
    while ((world.supervisor.state().find((one) => one.name === name)?.restarts ?? 0) === 0) await delay(20)
    isKilled = true
  })
  return { failed, isKilled }
}
