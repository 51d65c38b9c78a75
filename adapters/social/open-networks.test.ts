import { expect, it } from 'vitest'
import { CountersignError } from '#core/errors.ts'
import type { SocialPost } from '#core/ports/social-network.ts'
import { NETWORKS } from '#core/social-text.ts'
import { startMastodon } from '#tests/support/social/mastodon.ts'
import { definite, openNetworks } from './open-networks.ts'

const KEY = { key: '01J8Z3W6Q0ABCDEFGHJKMNPQRS.1', since: 0 }
const POST: SocialPost = { text: 'hi', publishAt: undefined, image: { url: 'https://a.example/a.jpg', altText: 'a' } }
const NAMES = {
  mastodon: '@a@b.example',
  bluesky: 'a.example',
  linkedin: 'urn:li:person:1',
  x: '@a',
  facebook: '1',
  instagram: '2',
}
const options = {
  ...{ mastodonUrl: undefined, blueskyUrl: 'https://bsky.social', linkedinVersion: '202605' },
  secretOf: (network: string): string => {
    throw new CountersignError('ERR_SOCIAL_AUTH', `no credential for ${network}`)
  },
  clock: { now: () => 0 },
}

it.each(NETWORKS)('%s without a readable credential posts nothing, definitely', async (network) => {
  const [opened] = openNetworks([{ network, account: NAMES[network] }], options)
  expect(opened).toMatchObject({ network, account: NAMES[network] })
  expect(await opened?.publish(POST, KEY)).toEqual({
    kind: 'refused',
    permanent: false,
    say: `no credential for ${network}`,
  })
  await expect(opened?.verify()).rejects.toMatchObject({ code: 'ERR_SOCIAL_AUTH' })
})

it('asks a Mastodon server where the settings say that it is', async () => {
  await using server = await startMastodon()
  const accounts = [{ network: 'mastodon', account: server.account } as const]
  const [opened] = openNetworks(accounts, { ...options, mastodonUrl: server.url, secretOf: () => 'mastodon-token' })
  await opened?.verify()
})

it('takes a fault of the program for none of the network’s words', async () => {
  const broken = definite({
    ...openNetworks([{ network: 'x', account: '@a' }], options)[0]!,
    publish: () => Promise.reject(new TypeError('x')),
  })
  await expect(broken.publish(POST, KEY)).rejects.toThrow(TypeError)
})
