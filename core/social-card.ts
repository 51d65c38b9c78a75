import { type CardRow, code } from './card-text.ts'
import { shownFile } from './email-card.ts'
import { minuteOf } from './minute.ts'
import type { SocialAction } from './social-action.ts'
import { hashtagsIn, linksIn, measuresOf, NETWORK_NAMES } from './social-text.ts'

/** What a post is, in the rows of its card. */
export function socialRows(action: SocialAction): CardRow[] {
  const links = linksIn(action.body).map((link) => code(link.text))
  const tags = hashtagsIn(action.body).map((tag) => code(tag.text))
  return [
    ['What happens', whatHappens(action)],
    ['Account', code(action.account)],
    ['Seen by', 'everybody: the post is public'],
    [
      'Length',
      measuresOf(action.network, action.body)
        .map(({ count, max, unit }) => `${count} of ${max} ${unit}`)
        .join(', '),
    ],
    ['Links', links.join(', ') || 'none'],
    ['Hashtags', tags.join(', ') || 'none'],
    ...imageRows(action),
    ['When', when(action)],
  ]
}

/** In a few plain words of a list. */
export function socialBrief(action: SocialAction): string {
  return `post on ${NETWORK_NAMES[action.network]} as ${action.account}`
}

export function socialDone(action: SocialAction): string {
  const verb = action.tool === 'social.create_post' ? 'handed to' : 'posted on'
  return `${verb} ${NETWORK_NAMES[action.network]} as ${action.account}`
}

function whatHappens(action: SocialAction): string {
  const name = NETWORK_NAMES[action.network]
  if (action.tool === 'social.publish_post') return `one post is published on ${name}`
  return `one post is handed to ${name}, which publishes it by itself at its time`
}

function when(action: SocialAction): string {
  if (action.tool === 'social.create_post')
    return `${name(action)} publishes it at ${minuteOf(action.publish_at)}, whether this machine is on or not; until then it can be removed there`
  if (action.not_before === undefined) return 'as soon as you approve'
  return `not before ${minuteOf(action.not_before)}; this machine must be on then`
}

function name(action: SocialAction): string {
  return NETWORK_NAMES[action.network]
}

function imageRows(action: SocialAction): CardRow[] {
  if (action.images !== undefined)
    return action.images.map((image) => ['Image', `${shownFile(image)}<br>described as ${code(image.alt_text)}`])
  if (action.tool === 'social.create_post' || action.image === undefined) return [['Image', 'none']]
  return [
    ['Image', `${code(action.image)}: Instagram fetches what stands there when the post is published`],
    ['Image description', code(action.alt_text ?? '')],
  ]
}
