import { expect, test } from 'vitest'
import { sayHubFault } from './doctor-hub.ts'

const URL = 'ssh://git@vm.example.org:2222/srv/hub/vault.git'

// What git and ssh say, to the letter.
test.each([
  [
    'ssh: Could not resolve hostname vm.example.org: Name or service not known',
    'no machine of that name is known here',
    /COUNTERSIGN_HUB_URL/,
  ],
  [
    'ssh: connect to host vm.example.org port 2222: Connection refused',
    'the machine is there, and nothing answers at that port',
    /docker compose -f compose\.cloud\.yml up -d/,
  ],
  ['ssh: connect to host vm.example.org port 2222: Connection timed out', 'no answer', /firewall/],
  ['ssh: connect to host 192.0.2.1 port 2222: No route to host', 'no answer', /firewall/],
  [
    'git@vm.example.org: Permission denied (publickey).',
    'it answers, and does not know this zone',
    /init cloud --pair/,
  ],
  ['Host key verification failed.', 'another machine answers than the one this zone was paired with', /do not go on/],
])('%s', (said, found, hint) => {
  const reason = `${said}\nfatal: Could not read from remote repository.`
  expect(sayHubFault(URL, reason)).toEqual({
    ...{ check: 'hub', result: 'failed', found: `${URL}: ${found}` },
    hint: expect.stringMatching(hint),
  })
})

test('while init runs, a hub that is not up yet, or does not know this zone yet, is no fault', () => {
  expect(sayHubFault(URL, 'ssh: connect to host vm port 2222: Connection refused', true).result).toBe('skipped')
  expect(sayHubFault(URL, 'git@vm: Permission denied (publickey).', true).result).toBe('skipped')
  expect(sayHubFault(URL, 'ssh: Could not resolve hostname vm', true).result).toBe('failed')
  expect(sayHubFault(URL, 'Host key verification failed.', true).result).toBe('failed')
})

test('what is not known is told in its own words', () => {
  expect(sayHubFault(URL, 'fatal: odd')).toMatchObject({ result: 'failed', found: `asking ${URL}: fatal: odd` })
})
