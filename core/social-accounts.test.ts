import { expect, it } from 'vitest'
import { ACCOUNT_EXAMPLES, isAccountOf, socialAccountList } from './social-accounts.ts'
import { NETWORKS } from './social-text.ts'

it.each(NETWORKS)('knows the account of its own example: %s', (network) => {
  expect(isAccountOf(network, ACCOUNT_EXAMPLES[network].split(', ').at(-1) ?? '')).toBe(true)
})

it.each([
  [undefined, []],
  [' , ', []],
  [
    'mastodon:@me@social.example, linkedin:urn:li:person:aB-1',
    [
      { network: 'mastodon', account: '@me@social.example' },
      { network: 'linkedin', account: 'urn:li:person:aB-1' },
    ],
  ],
])('reads %j', (text, accounts) => {
  expect(socialAccountList.parse(text)).toEqual(accounts)
})

it.each([
  ['myspace:me', 'expected network:account'],
  ['mastodon', 'expected an account of mastodon such as @you@social.example'],
  ['mastodon:@me@Social.Example', 'expected an account of mastodon'],
  ['x:@me/../../status', 'expected an account of x'],
  ['facebook:12345/feed', 'expected an account of facebook'],
  ['bluesky:a.example, bluesky:b.example', 'expected one account of bluesky'],
])('refuses %j', (text, message) => {
  expect(socialAccountList.safeParse(text).error?.issues[0]?.message).toContain(message)
})
