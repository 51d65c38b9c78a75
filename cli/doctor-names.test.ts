import { expect, test } from 'vitest'
import { hubNameFindings, type Resolve, siteFindings } from './doctor-names.ts'

const SITE = 'odoo.example.org'
const HUB = 'vm.example.org'
const resolving =
  (names: Readonly<Record<string, readonly string[]>>): Resolve =>
  async (name) =>
    names[name] ?? []
const look = (names: Readonly<Record<string, readonly string[]>>, hub: string | undefined = HUB) =>
  siteFindings([SITE], hub, { resolve: resolving(names), own: ['10.0.0.5'] })

test('a site’s name leads here when it leads to an address of this machine, or to where the hub’s name leads', async () => {
  expect(await look({ [SITE]: ['10.0.0.5'] })).toMatchObject([{ check: `name ${SITE}`, result: 'ok' }])
  expect(await look({ [SITE]: ['203.0.113.7'], [HUB]: ['203.0.113.7'] })).toMatchObject([{ result: 'ok' }])
})

test('one that leads elsewhere, also by one address of several, is told with both addresses', async () => {
  for (const leads of [['198.51.100.9'], ['203.0.113.7', '198.51.100.9']])
    expect(await look({ [SITE]: leads, [HUB]: ['203.0.113.7'] })).toEqual([
      {
        ...{ check: `name ${SITE}`, result: 'failed' },
        found: 'leads to 198.51.100.9, and this machine is at 10.0.0.5, 203.0.113.7',
        hint: expect.stringMatching(/correct the records .*odoo\.example\.org.*refuses a name for an hour/),
      },
    ])
})

test('one that does not exist is told so', async () => {
  expect(await look({})).toMatchObject([
    { result: 'failed', found: 'no such name in DNS', hint: expect.stringContaining('A record') },
  ])
})

test('nothing is claimed where this machine’s outer address, or the name server, is not known', async () => {
  expect(await look({ [SITE]: ['203.0.113.7'] }, undefined)).toMatchObject([{ result: 'skipped' }])
  const dead: Resolve = async () => Promise.reject(new Error('queryA ESERVFAIL'))
  expect(await siteFindings([SITE], HUB, { resolve: dead, own: [] })).toMatchObject([
    { result: 'skipped', found: expect.stringContaining('the name server does not answer') },
  ])
})

test('the hub’s name has to be one, unless it is an address', async () => {
  expect(await hubNameFindings('localhost')).toMatchObject([{ result: 'ok' }])
  expect(await hubNameFindings('192.0.2.1')).toEqual([])
  // Reserved never to be a name.
  const [finding] = await hubNameFindings('vm.invalid')
  expect(finding?.result).toBe(finding?.found.startsWith('no such name') ? 'failed' : 'skipped')
  if (finding?.result === 'failed') expect(finding.hint).toContain('--hub-host')
})
