import { expect, test } from 'vitest'
import { STORY_LIMIT_MS, storyWith, storyWithKill } from '#tests/support/harmed-story.ts'

test.each([
  ['local/sync', 'card'],
  ['local/sync', 'approved'],
  ['local/executor', 'local-up'],
  ['local/executor', 'approved'],
  ['local/health', 'approved'],
  ['local/redis', 'approved'],
])(
  'kill -9 of %s after %s: the story still ends, with exactly one mail',
  async (name, after) => expect(await storyWithKill(name, after)).toEqual({ failed: [], isKilled: true }),
  STORY_LIMIT_MS,
)

test(
  'flushing the local Redis after approved loses nothing',
  async () => {
    expect(await storyWith('approved', (world) => world.flushRedis('local'))).toEqual([])
  },
  STORY_LIMIT_MS,
)
