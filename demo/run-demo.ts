import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '#core/errors.ts'
import { troubleIn } from './log-tail.ts'
import type { Narrator, StepResult } from './narrator.ts'
import { WORLD_PREFIX } from './reaper.ts'
import { REDIS_SOURCES, type RedisSource } from './redis.ts'
import { type SCRIPTED, scriptedModelSettings, startScriptedModel } from './scripted-model.ts'
import { storySteps } from './story.ts'
import type { Step } from './story-parts.ts'
import { Interrupted } from './until.ts'
import { openWorld, type World } from './world.ts'

export type DemoOptions = {
  /** Leaves the world running after the story until the signal aborts. */
  readonly keep: boolean
  readonly redis?: RedisSource
  readonly mailbox: 'auto' | 'container' | 'dev'
  /** Drafts by a model that answers from a script, on this machine; unset: by the template. */
  readonly model?: typeof SCRIPTED | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly narrator: Narrator
  readonly signal: AbortSignal
  /** After each verified step; crash tests do their harm here. */
  readonly afterStep?: (step: string, world: World) => Promise<void>
}

/** Short, so that the demonstration stays short; the standard is 10 s. */
const UNDO_MS = 1_500

/** Plays the story in a temporary world and clears it away. True when every step was verified. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const { narrator, signal } = options
  const startedAt = performance.now()
  const root = await mkdtemp(join(tmpdir(), WORLD_PREFIX))
  const results: StepResult[] = []
  await using model = options.model && (await startScriptedModel())
  if (model) narrator.say('The model of this demonstration is scripted: it runs here, and answers the same each time.')
  const opening = await timed('world', async () => {
    const redis = options.redis ? [options.redis] : REDIS_SOURCES
    const { mailbox, env } = options
    const cloudSettings = model ? scriptedModelSettings(model) : {}
    const world = { root, isTemporary: true, undoMs: UNDO_MS, redis, mailbox, env, cloudSettings }
    return openWorld({ ...world, say: narrator.say, signal })
  })
  narrator.begin(1, 'A throw-away world: hub, two zone homes, mailbox')
  const opened = opening.value
  results.push({ ...opening.result, found: opened?.facts.join('; ') ?? opening.result.found })
  narrator.end(results[0] as StepResult)
  await using world = opened
  if (world) {
    for (const [index, step] of storySteps(world, model, signal).entries()) {
      const result = await tell(step, index + 2, narrator)
      results.push(result)
      if (!result.ok) break
      await options.afterStep?.(step.name, world)
    }
  }
  const ok = results.every((one) => one.ok)
  if (!ok && !signal.aborted) for (const line of await troubleIn(join(root, 'logs'))) narrator.say(line)
  // Without --keep both are gone before anyone could look.
  const kept = world && options.keep ? { vault: world.homes.local.vault, logs: join(root, 'logs') } : {}
  narrator.summary({ ok, ms: elapsed(startedAt), steps: results.length, ...kept })
  if (world && options.keep && !signal.aborted) {
    narrator.say(
      `Left running. Open the vault in an editor: ${world.homes.local.vault}\nCtrl-C ends it and removes it.`,
    )
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  }
  return ok
}

async function tell(step: Step, index: number, narrator: Narrator): Promise<StepResult> {
  narrator.begin(index, step.title)
  const { value, result } = await timed(step.name, () => step.run())
  const told = value === undefined ? result : { ...result, found: value }
  narrator.end(told)
  return told
}

async function timed<T>(step: string, act: () => Promise<T>): Promise<{ value?: T; result: StepResult }> {
  const startedAt = performance.now()
  try {
    const value = await act()
    return { value, result: { step, ok: true, ms: elapsed(startedAt), found: '' } }
  } catch (error) {
    const found = error instanceof Interrupted ? 'interrupted' : messageOf(error)
    return { result: { step, ok: false, ms: elapsed(startedAt), found } }
  }
}

function elapsed(since: number): number {
  return Math.round(performance.now() - since)
}
