import { afterEach, beforeEach, expect, it } from 'vitest'
import type { SocialPost } from '#core/ports/social-network.ts'
import { type FakeServer, type Reply, startServer } from '#tests/support/social/server.ts'
import { instagram } from './instagram.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const KEY = { key: '01J8Z3W6Q0ABCDEFGHJKMNPQRS.1', since: NOW }
const IMAGE = { url: 'https://shop.example/a.jpg', altText: 'A chair' }
const POST: SocialPost = { text: 'New chairs #wood', publishAt: undefined, image: IMAGE }
const USER = '17841405822304914'

let server: FakeServer
let preparing: Reply
let states: string[]
let publishing: Reply
let listing: Reply
beforeEach(async () => {
  preparing = { status: 200, body: { id: '17889455560051444' } }
  states = ['FINISHED']
  publishing = { status: 200, body: { id: '17920238422030506' } }
  listing = { status: 200, body: { data: [] } }
  server = await startServer(({ method, path }) => {
    const edge = path.replace('/v24.0/', '')
    if (edge === USER) return { status: 200, body: { id: USER, username: 'owner' } }
    if (edge === `${USER}/media`) return method === 'POST' ? preparing : listing
    if (edge === '17889455560051444')
      return { status: 200, body: { id: '1', status_code: states.shift() ?? 'FINISHED' } }
    if (edge === `${USER}/media_publish`) return publishing
    if (edge === '17920238422030506')
      return { status: 200, body: { id: '1', permalink: 'https://www.instagram.com/p/x/' } }
    return { status: 404 }
  })
})
afterEach(() => server[Symbol.asyncDispose]())

const network = () =>
  instagram({
    ...{ account: USER, baseUrl: server.url, clock: { now: () => NOW }, secret: () => 'token', limitMs: 5_000 },
    patience: { tries: 3, pauseMs: 1 },
  })
const publications = () => server.received.filter((one) => one.path.endsWith('/media_publish'))

it('has the image fetched, waits for it, then publishes, and tells the link', async () => {
  states = ['IN_PROGRESS', 'FINISHED']
  await network().verify()
  expect(await network().publish(POST, KEY)).toEqual({
    kind: 'accepted',
    id: '17920238422030506',
    link: 'https://www.instagram.com/p/x/',
  })
  expect(server.received.filter((one) => one.method === 'POST').map((one) => one.body)).toEqual([
    { image_url: IMAGE.url, caption: POST.text, alt_text: 'A chair' },
    { creation_id: '17889455560051444' },
  ])
})

it.each<[string, { preparing?: Reply; states?: string[] }, Record<string, unknown>]>([
  ['the image is none', { preparing: fault(400, 9004) }, { kind: 'refused', permanent: true }],
  ['no answer comes to the first step', { preparing: 'drop' }, { kind: 'refused', permanent: false }],
  ['a server error meets the first step', { preparing: { status: 500 } }, { kind: 'refused', permanent: false }],
  ['the image cannot be used', { states: ['ERROR'] }, { kind: 'refused', permanent: true }],
  ['the image takes too long', { states: Array(3).fill('IN_PROGRESS') }, { kind: 'refused', permanent: false }],
])('publishes nothing, definitely, when %s', async (_when, changed, expected) => {
  preparing = changed.preparing ?? preparing
  states = changed.states ?? states
  expect(await network().publish(POST, KEY)).toMatchObject(expected)
  expect(publications()).toEqual([])
})

it('does not know when no answer comes to the publication, and finds it by its caption', async () => {
  publishing = 'drop'
  expect(await network().publish(POST, KEY)).toMatchObject({ kind: 'unknown' })
  const timestamp = '2026-11-20T12:00:30+0000'
  listing = {
    status: 200,
    body: { data: [{ id: '5', caption: POST.text, timestamp, permalink: 'https://i.example/p' }] },
  }
  expect(await network().find(POST, KEY)).toEqual({ kind: 'found', id: '5', link: 'https://i.example/p' })
  expect(await network().find({ ...POST, text: 'other' }, KEY)).toEqual({ kind: 'not-found' })
})

it('takes no post without an image', async () => {
  expect(await network().publish({ ...POST, image: undefined }, KEY)).toMatchObject({
    kind: 'refused',
    permanent: true,
  })
  expect(server.received).toEqual([])
})

it('is published even when its link cannot be had', async () => {
  const reply = server.reply
  server.reply = (request) => (request.path.endsWith('17920238422030506') ? { status: 500 } : reply(request))
  expect(await network().publish(POST, KEY)).toEqual({ kind: 'accepted', id: '17920238422030506', link: undefined })
})

function fault(status: number, code: number): Reply {
  return { status, body: { error: { message: 'said', code, is_transient: false } } }
}
