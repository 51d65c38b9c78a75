import { describe, expect, it } from 'vitest'
import { CountersignError } from './errors.ts'
import { publishPostSchema } from './social-action.ts'
import { type DescribedImage, describeImage, imageTypeOf, readImages } from './social-image.ts'
import type { Network } from './social-text.ts'

const PNG = Buffer.from('\u0089PNG\r\n\u001a\nrest', 'latin1')
const JPEG = Buffer.from('\u00ff\u00d8\u00ff\u00e0rest', 'latin1')
const GIF = Buffer.from('GIF89arest')
const WEBP = Buffer.from('RIFF\0\0\0\0WEBPrest')

it.each<[string, Uint8Array, string | undefined]>([
  ['a PNG', PNG, 'image/png'],
  ['a JPEG', JPEG, 'image/jpeg'],
  ['a GIF of 1989', GIF, 'image/gif'],
  ['a GIF of 1987', Buffer.from('GIF87a'), 'image/gif'],
  ['a WebP', WEBP, 'image/webp'],
  ['a page', Buffer.from('<html>'), undefined],
  ['a drawing that can hold a script', Buffer.from('<svg xmlns='), undefined],
  ['a sound in the same wrapping as a WebP', Buffer.from('RIFF\0\0\0\0WAVE'), undefined],
  ['half a PNG’s beginning', PNG.subarray(0, 7), undefined],
  ['nothing', new Uint8Array(), undefined],
])('%s is known by its first bytes', (_what, bytes, type) => {
  expect(imageTypeOf(bytes)).toBe(type)
})

describe('an image in an action', () => {
  it('has the name it came with, with the ending of what it is', () => {
    expect(describeImage('stall.PNG', PNG, 'Our stall')).toMatchObject({ name: 'stall.PNG', type: 'image/png' })
    const renamed = describeImage('stall.png', JPEG, 'Our stall')
    expect(renamed).toMatchObject({ name: 'stall.jpg', type: 'image/jpeg', alt_text: 'Our stall' })
    expect(renamed.path).toBe(`Attachments/${renamed.sha256}.jpg`)
    expect(describeImage('IMG_1', WEBP, 'x').name).toBe('IMG_1.webp')
  })

  it.each<[string, () => unknown, string]>([
    ['is no image', () => describeImage('a.png', Buffer.from('%PDF'), 'x'), 'it is no JPEG, PNG, GIF or WebP'],
    ['nobody describes', () => describeImage('a.png', PNG, ''), 'its description'],
    ['has a name that is none', () => describeImage('a/b.png', PNG, 'x'), 'not a plain file name'],
  ])('is refused when it %s', (_what, make, say) => {
    expect(make).toThrow(say)
    expect(make).toThrow(CountersignError)
  })
})

const images = (count: number, changed: Partial<DescribedImage> = {}) =>
  Array.from({ length: count }, () => ({ ...describeImage('a.jpg', JPEG, 'x'), ...changed }))
const ACCOUNTS = {
  mastodon: '@you@social.example',
  bluesky: 'you.bsky.social',
  linkedin: 'urn:li:person:abc',
  x: '@you',
  facebook: '546349135390552',
  instagram: '17841405822304914',
}
const problem = (network: Network, given: readonly DescribedImage[]) =>
  publishPostSchema.safeParse({
    ...{ tool: 'social.publish_post', network, account: ACCOUNTS[network], images: given, body: 'x' },
    ...(network === 'instagram' && { image: 'https://cdn.example/a.jpg', alt_text: 'x' }),
  }).error?.issues[0]?.message

it.each<[Network, readonly DescribedImage[], string | undefined]>([
  ['mastodon', images(4), undefined],
  ['mastodon', images(5), '5 images; Mastodon takes 4'],
  ['bluesky', images(4, { size: '1000000' }), undefined],
  ['bluesky', images(1, { size: '1000001' }), 'a.jpg has 1.0 MB; Bluesky takes 1.0 MB'],
  ['linkedin', images(20), undefined],
  [
    'linkedin',
    images(1, { type: 'image/webp' }),
    'a.jpg is image/webp; LinkedIn takes image/jpeg, image/png, image/gif',
  ],
  ['x', images(4, { size: '5000000' }), undefined],
  ['x', images(1, { size: '5000001' }), 'a.jpg has 5.0 MB; X takes 5.0 MB'],
  ['x', images(1, { type: 'image/gif' }), 'a.jpg is image/gif; X takes image/jpeg, image/png, image/webp'],
  ['facebook', images(10, { size: '4000000' }), undefined],
  ['facebook', images(11), '11 images; Facebook takes 10'],
  ['instagram', images(1), 'Instagram takes the address of an image, no file'],
  ['mastodon', images(0), 'leave it out when there is none'],
  ['mastodon', images(1, { type: 'text/html' }), expect.stringContaining('a.jpg is text/html')],
  ['mastodon', images(1, { path: 'Inbox/a.jpg' }), 'the path is not that of its content'],
])('%s takes what it takes: %#', (network, given, say) => {
  expect(problem(network, given)).toEqual(say)
})

it('is read as it was approved, and is not when it is something else than it says', async () => {
  const image = describeImage('a.png', PNG, 'Our stall')
  expect(await readImages([image], async () => PNG)).toEqual([
    { name: 'a.png', type: 'image/png', bytes: PNG, altText: 'Our stall' },
  ])
  await expect(readImages([image], async () => undefined)).rejects.toMatchObject({ code: 'ERR_ATTACHMENT_CHANGED' })
  const lie = { ...image, type: 'image/jpeg' }
  await expect(readImages([lie], async () => PNG)).rejects.toThrow('"a.png" is no image/jpeg')
})
