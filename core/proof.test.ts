import { expect, test } from 'vitest'
import type { ContainerLook } from './ports/container-look.ts'
import { ASKED_OF_EGRESS, type AskedService, proofOf, type ServiceProof } from './proof.ts'

const AT = '2026-12-01T10:00:00.000Z'
const OUTSIDE = '1.1.1.1:443'
const SOUND: ContainerLook = {
  ...{ secrets: [], settings: ['COUNTERSIGN_ZONE', 'COUNTERSIGN_IMAP_HOST'], sockets: [], uid: 1000 },
  ...{ capabilities: '0000000000000000', noNewPrivileges: true, browsers: [], ports: [8080] },
  sources: [{ program: 'triage.mjs', files: ['core/errors.ts', 'adapters/imap/connection.ts'] }],
  direct: [{ place: OUTSIDE, outcome: 'ENETUNREACH' }],
  through: ASKED_OF_EGRESS.map((place) => ({ place, outcome: '403' })),
}
const service = (name: string, changes: Partial<ContainerLook> = {}): ServiceProof => ({
  service: name,
  look: { ...SOUND, ...changes },
  findings: [],
})
const egress = (changes: Partial<ContainerLook> = {}) =>
  service('egress', {
    direct: [{ place: OUTSIDE, outcome: 'connected' }],
    through: [],
    ports: [3128, 8080],
    ...changes,
  })

function proof(changes: Partial<ContainerLook> = {}, others: readonly AskedService[] = [egress()]) {
  return proofOf([service('triage', changes), ...others], [], AT)
}

test('a zone in which all is as it must be proves it, and says what was not to be seen', () => {
  const { verdict, lines, limits } = proof({ secrets: [{ path: '/run/secrets/imap-password', isEmpty: false }] })
  expect(lines.filter(({ result }) => result !== 'ok')).toEqual([])
  expect(verdict).toBe('holds')
  expect(limits.length).toBeGreaterThan(3)
})

test.each<[what: string, changes: Partial<ContainerLook>, found: string]>([
  ['Docker’s socket', { sockets: ['/var/run/docker.sock'] }, 'triage: /var/run/docker.sock'],
  ['root', { uid: 0 }, 'triage: it runs as root'],
  ['a capability', { capabilities: '0000000000000400' }, 'triage: it has capabilities (0000000000000400)'],
  ['privileges to gain', { noNewPrivileges: false }, 'triage: it may gain privileges'],
  [
    'a secret for sending',
    { secrets: [{ path: '/run/secrets/smtp-password', isEmpty: false }] },
    'triage: /run/secrets/smtp-password is a secret that acts',
  ],
  [
    'a secret for sending under another name',
    { secrets: [{ path: '/run/secrets/smtp-relay', isEmpty: false }] },
    'triage: /run/secrets/smtp-relay is a secret that acts',
  ],
  [
    'a social account, whatever the network is called',
    { secrets: [{ path: '/zone/social/mastodon', isEmpty: false }] },
    'triage: /zone/social/mastodon is a secret that acts',
  ],
  [
    'what acts among further mailboxes',
    { secrets: [{ path: '/zone/mailboxes/smtp-password', isEmpty: false }] },
    'triage: /zone/mailboxes/smtp-password is a secret that acts',
  ],
  [
    'another service’s secret',
    { secrets: [{ path: '/zone/keys/signing', isEmpty: false }] },
    'triage: /zone/keys/signing, which it has no use for',
  ],
  ['a setting of the local zone', { settings: ['COUNTERSIGN_SMTP_HOST'] }, 'triage: the setting COUNTERSIGN_SMTP_HOST'],
  [
    'code that sends',
    { sources: [{ program: 'triage.mjs', files: ['core/errors.ts', 'adapters/smtp/smtp-sender.ts'] }] },
    'triage: adapters/smtp/smtp-sender.ts in triage.mjs',
  ],
  ['a browser', { browsers: ['/usr/bin/chromium'] }, 'triage: /usr/bin/chromium'],
  ['a port of its own', { ports: [8080, 6666] }, 'triage: port 6666'],
  ['a way past the way out', { direct: [{ place: OUTSIDE, outcome: 'connected' }] }, `triage reaches ${OUTSIDE}`],
  [
    'a way out that lets through',
    { through: [{ place: ASKED_OF_EGRESS[3] ?? '', outcome: '502' }] },
    `triage asked for ${ASKED_OF_EGRESS[3]}: 502`,
  ],
])('%s is found and named', (_what, changes, found) => {
  const { verdict, lines } = proof(changes)
  const wrong = lines.filter(({ result }) => result === 'failed')
  expect(wrong.map((line) => line.found)).toEqual([found])
  expect(wrong[0]?.hint).toMatch(/\w/)
  expect(verdict).toBe('broken')
})

test.each<[what: string, made: () => ReturnType<typeof proofOf>, found: string]>([
  [
    'a service that does not answer',
    () => proof({}, [egress(), { service: 'sync', why: 'it does not answer: ECONNREFUSED' }]),
    'it does not answer: ECONNREFUSED',
  ],
  [
    'a machine without internet',
    () => proof({}, [egress({ direct: [{ place: OUTSIDE, outcome: 'no answer' }] })]),
    'not even the way out reaches the place that was tried, so that nobody else reaches it says nothing',
  ],
  [
    'a zone without its way out',
    () => proof({}, []),
    'not even the way out reaches the place that was tried, so that nobody else reaches it says nothing',
  ],
  [
    'a way out that is away',
    () => proof({ through: [{ place: 'x:1', outcome: 'ECONNREFUSED' }] }),
    'triage asked for x:1: ECONNREFUSED',
  ],
  ['programs of somebody else', () => proof({ sources: [] }), 'triage: its programs do not say what they were made of'],
  [
    'nobody who answers',
    () => proofOf([{ service: 'triage', why: 'away' }], [], AT),
    'no service gave an account of itself',
  ],
])('%s is said to be not checked, and never to be fine', (_what, made, found) => {
  const { verdict, lines } = made()
  expect(verdict).toBe('incomplete')
  expect(lines.filter(({ result }) => result === 'skipped').map((line) => line.found)).toContain(found)
})

test('what a service tried itself stands under its name', () => {
  const finding = { check: 'the hub refuses', result: 'failed', found: 'it took it in' } as const
  const sync = { ...service('sync'), findings: [finding] }
  const { lines, verdict } = proof({}, [egress(), sync])
  expect(lines).toContainEqual({ ...finding, service: 'sync' })
  expect(verdict).toBe('broken')
})

test('who backs the zone up may read all of it, but no secret that acts', () => {
  const secrets = ['signing', 'redis-password'].map((name) => ({ path: `/zone/secrets/${name}`, isEmpty: false }))
  expect(proof({}, [egress(), service('backup', { secrets })]).verdict).toBe('holds')
  const more = [...secrets, { path: '/zone/secrets/smtp-password', isEmpty: false }]
  const { lines } = proof({}, [egress(), service('backup', { secrets: more })])
  expect(lines.filter(({ result }) => result === 'failed').map(({ found }) => found)).toEqual([
    'backup: /zone/secrets/smtp-password is a secret that acts',
  ])
})

test('an empty secret is none', () => {
  expect(proof({ secrets: [{ path: '/run/secrets/smtp-password', isEmpty: true }] }).verdict).toBe('holds')
})
