import { describe, expect, it } from 'vitest'
import { hashtagsIn, linksIn, measuresOf, type Network } from './social-text.ts'

describe('the length of a text', () => {
  const FAMILY = '👩‍👩‍👧‍👦'
  it.each<[Network, string, number]>([
    ['x', 'plain', 5],
    ['x', 'é as one and e\u0301 as two', 21],
    ['x', '日本', 4],
    ['x', FAMILY, 2],
    ['x', '🇦🇹', 2],
    ['x', `see https://shop.example/${'a'.repeat(100)} now`, 31],
    ['x', 'see https://a.at now', 31],
    ['mastodon', `see https://shop.example/${'a'.repeat(100)} now`, 31],
    ['mastodon', FAMILY, 1],
    ['bluesky', FAMILY, 1],
    ['bluesky', 'https://shop.example/a', 22],
    ['linkedin', '👋', 2],
    ['facebook', 'abc', 3],
    ['instagram', 'abc', 3],
  ])('on %s of %j is %d', (network, text, count) => {
    expect(measuresOf(network, text)[0]?.count).toBe(count)
  })

  it('is counted in bytes and hashtags too, where a network does', () => {
    expect(measuresOf('bluesky', '👋')[1]).toEqual({ count: 4, max: 3_000, unit: 'bytes' })
    expect(measuresOf('instagram', '#a #b #a')[1]).toEqual({ count: 3, max: 30, unit: 'hashtags' })
  })
})

it.each([
  ['see https://a.example/x.', ['https://a.example/x']],
  ['(https://a.example/x), „https://b.example“', ['https://a.example/x', 'https://b.example']],
  ['http://a.example?q=1&r=2 and ftp://c.example', ['http://a.example?q=1&r=2']],
  ['HTTPS://A.EXAMPLE/x', ['HTTPS://A.EXAMPLE/x']],
  ['none', []],
])('the links in %j', (text, links) => {
  expect(linksIn(text).map((link) => link.text)).toEqual(links)
})

it.each([
  ['#one two #drei_4', ['#one', '#drei_4']],
  ['a#b ##c #2026 &#39; #Größe!', ['#Größe']],
  ['https://a.example/#top #real', ['#real']],
])('the hashtags in %j', (text, tags) => {
  expect(hashtagsIn(text).map((tag) => tag.text)).toEqual(tags)
})

it('looks through hostile texts quickly', () => {
  expect(hashtagsIn('https://a.example/#top #real '.repeat(5_000))).toHaveLength(5_000)
  expect(linksIn(`https://a${'.'.repeat(100_000)}x`)[0]?.text).toMatch(/\.x$/)
  expect(linksIn(`https://a${'.'.repeat(100_000)}`)[0]?.text).toBe('https://a')
}, 5_000)
