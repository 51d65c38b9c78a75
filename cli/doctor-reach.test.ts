import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startMastodon } from '#tests/support/social/mastodon.ts'
import { socialFindings } from './doctor-reach.ts'

test('doctor asks each social account’s network whose credential it has, in the local zone alone', async () => {
  await using server = await startMastodon('mastodon-token')
  const secrets = mkdtempSync(join(tmpdir(), 'countersign-doctor-'))
  try {
    writeFileSync(join(secrets, 'mastodon'), 'mastodon-token')
    const env = {
      COUNTERSIGN_ZONE: 'local',
      COUNTERSIGN_SOCIAL_ACCOUNTS: `mastodon:${server.account}, x:@you`,
      COUNTERSIGN_SOCIAL_SECRETS: secrets,
      COUNTERSIGN_MASTODON_URL: server.url,
    }
    expect(await socialFindings('local', env)).toMatchObject([
      { check: 'mastodon', result: 'ok', found: 'the credential is that of @owner@social.example' },
      { check: 'x', result: 'failed', found: expect.stringContaining('cannot read the secret file') },
    ])
    expect(await socialFindings('cloud', env)).toEqual([])
    expect(await socialFindings('local', {})).toEqual([])
  } finally {
    rmSync(secrets, { recursive: true })
  }
})
