import { describe, expect, it } from 'vitest'
import { type ActionLimits, actionDigest, actionFault, actionRows, briefOf, isPost, readAction } from './action.ts'
import { type PublishPostAction, postOf, publishPostSchema, timingOf } from './social-action.ts'
import { newTaskFile, renderSection } from './task-file.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const IMAGE = { image: 'https://cdn.example/posts/a.jpg', alt_text: 'A chair' }

function task(action: Record<string, unknown>, body = 'Hello #world, see https://shop.example/a') {
  return newTaskFile(
    {
      id: '01J8Z3W6Q0ABCDEFGHJKMNPQRS',
      schema: '1',
      kind: 'POST',
      domain: 'social',
      title: 'News',
      created: '2026-11-20T10:00:00.000Z',
      generation: '1',
      action: action as { tool: string },
    },
    renderSection('draft', body),
  )
}
const publish = (changed: Record<string, unknown> = {}, body?: string) =>
  readAction(task({ tool: 'social.publish_post', network: 'bluesky', account: 'you.bsky.social', ...changed }, body))
const create = (changed: Record<string, unknown> = {}) =>
  readAction(
    task({
      ...{ tool: 'social.create_post', network: 'facebook', account: '546349135390552' },
      ...{ publish_at: '2026-12-01T08:00:00Z', ...changed },
    }),
  )
const instagram = { network: 'instagram', account: '17841405822304914' }

describe('an action of a post', () => {
  it('is what its front matter and the draft say', () => {
    expect(publish({ not_before: '2026-12-01T08:00:00Z' })).toEqual({
      ok: true,
      action: {
        tool: 'social.publish_post',
        network: 'bluesky',
        account: 'you.bsky.social',
        not_before: '2026-12-01T08:00:00Z',
        body: 'Hello #world, see https://shop.example/a',
      },
    })
    expect(create().ok).toBe(true)
    expect(publish({ ...instagram, ...IMAGE }).ok).toBe(true)
  })

  it.each<[string, () => ReturnType<typeof readAction>, string]>([
    ['an unknown network', () => publish({ network: 'myspace' }), 'action-network'],
    ['an account of another network', () => publish({ account: '@you' }), 'action-account'],
    ['a field it has not', () => publish({ to: 'you@home.example' }), 'action-field'],
    ['an empty draft', () => publish({}, ''), 'action-body'],
    ['a draft that is too long', () => publish({}, 'x'.repeat(301)), 'action-body'],
    ['a draft with too many bytes', () => publish({}, '👩‍👩‍👧‍👦'.repeat(121)), 'action-body'],
    ['a control character', () => publish({}, 'a\u0007b'), 'action-body'],
    ['a day that does not exist', () => publish({ not_before: '2026-02-31T25:00:00Z' }), 'action-not_before'],
    ['a time without a zone', () => publish({ not_before: '2026-12-01T08:00:00' }), 'action-not_before'],
    ['an image where none is taken', () => publish(IMAGE), 'action-image'],
    ['no image where one is needed', () => publish(instagram), 'action-image'],
    ['an image nobody describes', () => publish({ ...instagram, image: IMAGE.image }), 'action-alt_text'],
    [
      'an image that is no https address',
      () => publish({ ...instagram, ...IMAGE, image: 'http://a.example/a.jpg' }),
      'action-image',
    ],
    [
      'an address with a query',
      () => publish({ ...instagram, ...IMAGE, image: 'https://a.example/a.jpg?u=1' }),
      'action-image',
    ],
    ...['a/../../b.jpg', '%2e%2e/b.jpg', './b.jpg'].map(
      (path): [string, () => ReturnType<typeof readAction>, string] => [
        `an address that says another folder: ${path}`,
        () => publish({ ...instagram, ...IMAGE, image: `https://cdn.example/posts/${path}` }),
        'action-image',
      ],
    ),
    ['31 hashtags', () => publish({ ...instagram, ...IMAGE }, '#a '.repeat(31)), 'action-body'],
    ['a network that keeps no posts', () => create({ network: 'x', account: '@you' }), 'action-network'],
    ['no time to publish at', () => create({ publish_at: undefined }), 'action-publish_at'],
    ['a time to wait for, besides', () => create({ not_before: '2026-12-01T08:00:00Z' }), 'action-field'],
  ])('is refused with %s', (_what, read, rule) => {
    expect(read()).toMatchObject({ ok: false, rule })
  })

  it('says how long a text is, and how long it may be', () => {
    expect(publish({}, 'x'.repeat(301))).toMatchObject({ problem: 'action, body: 301 characters; Bluesky takes 300' })
  })

  it('has a digest that any change changes', () => {
    const action = publishPostSchema.parse({ tool: 'social.publish_post', ...instagram, ...IMAGE, body: 'x' })
    const variants: PublishPostAction[] = [
      action,
      { ...action, body: 'x ' },
      { ...action, account: '17841405822304915' },
      { ...action, network: 'facebook' },
      { ...action, image: 'https://cdn.example/posts/b.jpg' },
      { ...action, alt_text: 'A table' },
      { ...action, not_before: '2026-12-01T08:00:00Z' },
    ]
    expect(new Set(variants.map(actionDigest)).size).toBe(variants.length)
  })
})

describe('this machine', () => {
  const accounts = [
    { network: 'bluesky', account: 'you.bsky.social' },
    { network: 'instagram', account: instagram.account },
  ] as const
  const limits: ActionLimits = {
    ...{ account: 'you@home.example', maxRecipients: 10 },
    social: { accounts, imagesAt: 'https://cdn.example/posts/' },
  }
  const faultOf = (read: ReturnType<typeof readAction>, changed: Partial<ActionLimits> = {}) => {
    if (!read.ok) throw new Error(read.problem)
    return actionFault(read.action, { ...limits, ...changed })?.rule
  }

  it('posts for its own accounts, and for no other', () => {
    expect(faultOf(publish())).toBeUndefined()
    expect(faultOf(publish({ account: 'other.bsky.social' }))).toBe('account-unknown')
    expect(faultOf(publish({ network: 'x', account: '@you' }))).toBe('account-unknown')
    const { social: _, ...without } = limits
    expect(faultOf(publish(), { ...without, social: { accounts: [], imagesAt: undefined } })).toBe('account-unknown')
  })

  it('posts images from its own place alone', () => {
    const read = publish({ ...instagram, ...IMAGE })
    expect(faultOf(read)).toBeUndefined()
    expect(faultOf(publish({ ...instagram, ...IMAGE, image: 'https://evil.example/posts/a.jpg' }))).toBe('image-place')
    expect(faultOf(read, { social: { accounts, imagesAt: undefined } })).toBe('image-place')
  })

  it.each([
    ['placeholder-left', 'Dear {{name}}'],
    ['draft-hidden-characters', 'a\u202eb'],
    ['draft-hidden-text', 'a <!-- b --> c'],
  ])('gives back by %s what a mail would be given back for', (rule, body) => {
    expect(faultOf(publish({}, body))).toBe(rule)
  })
})

describe('the time of a post', () => {
  const timing = (read: ReturnType<typeof readAction>, now = NOW) => {
    if (!(read.ok && isPost(read.action))) throw new Error('no post')
    return timingOf(read.action, now).kind
  }
  it.each([
    ['at once', () => timing(publish()), 'now'],
    ['a minute too early', () => timing(publish({ not_before: '2026-11-20T12:01:00Z' })), 'later'],
    ['just then', () => timing(publish({ not_before: '2026-11-20T12:00:00Z' })), 'now'],
    ['long after', () => timing(publish({ not_before: '2026-11-01T12:00:00Z' })), 'now'],
    ['in ten days, by Facebook', () => timing(create()), 'now'],
    ['in ten minutes, by Facebook', () => timing(create({ publish_at: '2026-11-20T12:10:00Z' })), 'now'],
    ['in less, by Facebook', () => timing(create({ publish_at: '2026-11-20T12:09:59Z' })), 'passed'],
    ['in 31 days, by Facebook', () => timing(create({ publish_at: '2026-12-21T12:00:00Z' })), 'too-early'],
    [
      'in five minutes, by Mastodon',
      () => timing(create({ network: 'mastodon', account: '@you@social.example', publish_at: '2026-11-20T12:05:00Z' })),
      'now',
    ],
  ])('%s', (_what, actual, expected) => {
    expect(actual()).toBe(expected)
  })
})

it('goes to the network as it was approved', () => {
  const post = (read: ReturnType<typeof readAction>) => {
    if (!(read.ok && isPost(read.action))) throw new Error('no post')
    return postOf(read.action)
  }
  expect(post(publish())).toEqual({
    text: 'Hello #world, see https://shop.example/a',
    publishAt: undefined,
    image: undefined,
  })
  expect(post(create())).toMatchObject({ publishAt: Date.parse('2026-12-01T08:00:00Z') })
  expect(post(publish({ ...instagram, ...IMAGE }))).toMatchObject({ image: { url: IMAGE.image, altText: 'A chair' } })
})

describe('its card', () => {
  const rows = (read: ReturnType<typeof readAction>) => {
    if (!read.ok) throw new Error(read.problem)
    return Object.fromEntries(actionRows(read.action))
  }
  it('says in words where the post goes, who sees it, how long it is, its links, and when', () => {
    expect(rows(publish())).toEqual({
      'What happens': 'one post is published on Bluesky',
      Account: '`you.bsky.social`',
      'Seen by': 'everybody: the post is public',
      Length: '40 of 300 characters, 40 of 3000 bytes',
      Links: '`https://shop.example/a`',
      Hashtags: '`#world`',
      Image: 'none',
      When: 'as soon as you approve',
    })
  })

  it('tells a post that the network keeps from one that this machine publishes later', () => {
    expect(rows(create()).When).toContain(
      'Facebook publishes it at 2026-12-01 08:00 UTC, whether this machine is on or not',
    )
    expect(rows(publish({ not_before: '2026-12-01T08:00:00Z' })).When).toBe(
      'not before 2026-12-01 08:00 UTC; this machine must be on then',
    )
  })

  it('shows the image by its address and description', () => {
    const shown = rows(publish({ ...instagram, image: IMAGE.image, alt_text: 'A `chair`' }))
    expect(shown.Image).toContain('`https://cdn.example/posts/a.jpg`: Instagram fetches what stands there')
    expect(shown['Image description']).toBe('`` A `chair` ``')
  })

  it('is told in a few words where there is no room', () => {
    const read = publish()
    expect(read.ok && briefOf(read.action)).toBe('post on Bluesky as you.bsky.social')
  })
})
