import { expect, test } from 'vitest'
import { type CloudSettings, cloudReach, sayReach } from './egress-reach.ts'

const NOTHING: CloudSettings = {
  mailboxes: [],
  gmailUrl: undefined,
  hasPush: false,
  urls: [],
  sites: [],
  also: [],
  privateHosts: [],
}
const IMAP = { provider: 'imap', host: 'Imap.Example.org', port: 993 } as const

function reachOf(settings: Partial<CloudSettings>): string[] {
  const verdict = cloudReach({ ...NOTHING, ...settings })
  if (!verdict.ok) throw new Error(verdict.problem)
  return verdict.reach.map((one) => `${sayReach(one)}${one.isPrivate ? ' private' : ''}`)
}

test('a cloud reaches what its settings name, each place once', () => {
  expect(
    reachOf({
      mailboxes: [IMAP, { ...IMAP, host: 'imap.example.org' }],
      urls: [
        'https://api.anthropic.com/v1',
        'http://host.docker.internal:11434/v1',
        'https://api.anthropic.com/v1',
        'http://10.0.0.7/v1',
      ],
      sites: ['odoo.example.org'],
      also: [{ host: 'ntfy.sh', port: 443 }],
      privateHosts: ['IMAP.example.org'],
    }),
  ).toEqual([
    'imap.example.org:993 private',
    'api.anthropic.com:443',
    'host.docker.internal:11434 private',
    '10.0.0.7:80',
    'odoo.example.org:443',
    'ntfy.sh:443',
  ])
  expect(reachOf({})).toEqual([])
})

test('Gmail is Google’s servers, with Pub/Sub where it rings, or the one that stands in for them', () => {
  const google = ['gmail.googleapis.com:443', 'oauth2.googleapis.com:443']
  expect(reachOf({ mailboxes: [{ provider: 'gmail' }] })).toEqual(google)
  expect(reachOf({ mailboxes: [{ provider: 'gmail' }, IMAP], hasPush: true })).toEqual([
    ...google,
    'imap.example.org:993',
    'pubsub.googleapis.com:443',
  ])
  expect(reachOf({ mailboxes: [{ provider: 'gmail' }], hasPush: true, gmailUrl: 'http://localhost:8025' })).toEqual([
    'localhost:8025',
  ])
})

test.each([
  ['of a mailbox', { mailboxes: [{ ...IMAP, port: 587 }] }],
  ['of a model', { urls: ['https://model.example:465/v1'] }],
  ['that the owner adds', { also: [{ host: 'mail.example.org', port: 25 }] }],
])('a port by which mail is sent is refused: one %s', (_what, settings) => {
  expect(cloudReach({ ...NOTHING, ...settings })).toEqual({
    ok: false,
    problem: expect.stringMatching(/:(25|465|587): mail is sent through this port, and the cloud sends none$/),
  })
})
