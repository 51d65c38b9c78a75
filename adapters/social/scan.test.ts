import { expect, it } from 'vitest'
import { findAmong, type OwnPost } from './scan.ts'

const SINCE = Date.parse('2026-11-20T12:00:00.000Z')
const post = (text: string | undefined, afterMs: number): OwnPost => {
  return { id: `${text}`, link: undefined, text, at: SINCE + afterMs }
}

it.each<[string, OwnPost[], boolean, string]>([
  ['the same text since then', [post('Hi', 5)], true, 'found'],
  ['the same text by a clock that is a minute behind', [post('Hi', -60_000)], true, 'found'],
  ['the same text of long before', [post('Hi', -60_001)], true, 'not-found'],
  ['a text that only begins the same', [post('Hi!', 5)], true, 'not-found'],
  ['a post without a text', [post(undefined, 5)], true, 'not-found'],
  ['nothing, of an account that has no more', [], true, 'not-found'],
  ['nothing, in a list that goes back far enough', [post('x', 5), post('y', -60_001)], false, 'not-found'],
  ['nothing, in a list that ends before that', [post('x', 5)], false, 'cannot-tell'],
])('among %s', (_what, posts, isAll, kind) => {
  expect(findAmong(posts, 'Hi', { since: SINCE }, isAll).kind).toBe(kind)
})

it('takes a text for the same when the network only trimmed and composed it', () => {
  const posts = [post(' Gru\u0308\u00dfe\r\nund mehr\n', 5)]
  expect(findAmong(posts, 'Grüße\nund mehr', { since: SINCE }, true).kind).toBe('found')
})
