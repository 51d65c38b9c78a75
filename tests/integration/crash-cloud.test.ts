import { expect, test } from 'vitest'
import { STORY_LIMIT_MS, storyWith, storyWithKill } from '#tests/support/harmed-story.ts'

test.each([
  ['cloud/triage', 'mail-sent'],
  ['cloud/sync', 'triaged'],
  ['cloud/drafter', 'triaged'],
  ['cloud/health', 'triaged'],
  ['cloud/redis', 'triaged'],
])(
  'kill -9 of %s after %s: the story still ends, with exactly one mail',
  async (name, after) => expect(await storyWithKill(name, after)).toEqual({ failed: [], isKilled: true }),
  STORY_LIMIT_MS,
)

test(
  'flushing the cloud Redis after triaged loses nothing',
  async () => {
    expect(await storyWith('triaged', (world) => world.flushRedis('cloud'))).toEqual([])
  },
  STORY_LIMIT_MS,
)
