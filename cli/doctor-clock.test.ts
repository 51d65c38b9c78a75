import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { clockFinding } from './doctor-clock.ts'

const HOUR = 3_600_000

/** A web server whose clock is ahead of ours by so much; `null`: it says no time. */
async function serverAhead(ms: number | null): Promise<string> {
  const server = createServer((_request, response) => {
    response.sendDate = false
    if (ms !== null) response.setHeader('date', new Date(Date.now() + ms).toUTCString())
    response.writeHead(404).end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test.each([
  ['agrees', 0, 'ok', /^agrees with that of 127\.0\.0\.1:\d+$/],
  ['is 50 s off, which is nobody’s harm', -50_000, 'ok', /^agrees/],
  ['is an hour behind', HOUR, 'failed', /^it is (59|60) min behind that of 127/],
  ['is an hour ahead', -HOUR, 'failed', /^it is 59 min ahead of that of 127/],
  ['is years behind', 3 * 365 * 24 * HOUR, 'failed', /^it is 109\d days behind/],
] as const)('a clock that %s is told so', async (_what, ms, result, found) => {
  const finding = await clockFinding({}, { lastAsked: await serverAhead(ms) })
  expect(finding).toMatchObject({ check: 'clock', result, found: expect.stringMatching(found) })
  expect(finding.hint).toEqual(result === 'ok' ? undefined : expect.stringContaining('timedatectl set-ntp true'))
})

test('the zone’s own servers are believed before any other; one that says no time is passed over', async () => {
  const env = { COUNTERSIGN_ODOO_URL: await serverAhead(null), COUNTERSIGN_OPENAI_URL: await serverAhead(0) }
  const finding = await clockFinding(env, { lastAsked: await serverAhead(HOUR) })
  expect(finding).toEqual({
    check: 'clock',
    result: 'ok',
    found: `agrees with that of ${new URL(env.COUNTERSIGN_OPENAI_URL).host}`,
  })
})

test('where nobody can be asked, nothing is claimed', async () => {
  const finding = await clockFinding({ COUNTERSIGN_OPENAI_URL: 'no address' }, { lastAsked: 'http://127.0.0.1:1/' })
  expect(finding).toEqual({ check: 'clock', result: 'skipped', found: 'no server could be asked what time it is' })
})
