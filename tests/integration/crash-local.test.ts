import { expect, test } from 'vitest'
import { killAndSeeRestarted, STORY_LIMIT_MS, storyWith } from '#tests/support/harmed-story.ts'

test.each([
  ['local/sync', 'card'],
  ['local/sync', 'approved'],
  ['local/executor', 'local-up'],
  ['local/executor', 'approved'],
  ['local/health', 'approved'],
  ['local/redis', 'approved'],
])(
  'kill -9 of %s after %s: the story still ends, with exactly one mail',
  async (name, after) => {
    let isKilled = false
    const failed = await storyWith(after, async (world) => {
      await killAndSeeRestarted(world, name)
      isKilled = true
    })
    expect([failed, isKilled]).toEqual([[], true])
  },
  STORY_LIMIT_MS,
)

test(
  'flushing the local Redis after approved loses nothing',
  async () => {
    expect(await storyWith('approved', (world) => world.flushRedis('local'))).toEqual([])
  },
  STORY_LIMIT_MS,
)
