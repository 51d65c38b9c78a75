import { expect, it } from 'vitest'
import { CREDENTIALS, credentialsOf } from './credentials.ts'
import { ENDED_ELSEWHERE, whatRemains, type ZonePlaces } from './what-remains.ts'

/** They end with the zone's own files, or with what the other zone believes. */
const OWN = ['countersign-key', 'countersign-passphrase', 'hub-host-key']

function placesOf(zone: 'cloud' | 'local', isHere = true): ZonePlaces {
  const credentials = credentialsOf(zone).map(({ name, what, may, file }) => ({
    ...{ name, what, may, isHere, zones: [zone], readBy: [], place: `/z/${file}`, faults: [], notes: [] },
  }))
  return { zone, agent: 'local-2', root: "/z/it's", checkout: '/c', backupTarget: undefined, credentials }
}

it('says of each credential that somebody else gave how it is withdrawn there, and knows no other', () => {
  const given = CREDENTIALS.filter(
    ({ origin, name }) => ['given', 'consent', 'other'].includes(origin) && !OWN.includes(name),
  )
  expect([...ENDED_ELSEWHERE].sort()).toEqual(given.map(({ name }) => name).sort())
})

it('names what is there of this zone alone, and nothing of what is not there', () => {
  const places = whatRemains(placesOf('local')).map(({ where }) => where)
  expect(places).toContain('/z/secrets/smtp-password')
  expect(places).not.toContain('/z/secrets/gmail-read-token')
  const none = whatRemains(placesOf('local', false)).map(({ where }) => where)
  expect(none.filter((one) => one.startsWith('/z/secrets'))).toEqual([])
})

it('says what to tell the other zone, and removes a folder of any name by a command that can be pasted', () => {
  const how = whatRemains(placesOf('local')).map((one) => one.how)
  expect(how).toContain('there: countersign --zone cloud trust revoke local-2')
  expect(how.join('\n')).toContain(String.raw`rm -r '/z/it'\''s'`)
})

it('tells of the books that stand on the cloud’s machine', () => {
  expect(
    whatRemains(placesOf('cloud'))
      .map(({ how }) => how)
      .join('\n'),
  ).toContain('nothing else has the books')
  expect(
    whatRemains(placesOf('local'))
      .map(({ how }) => how)
      .join('\n'),
  ).not.toContain('the books')
})
