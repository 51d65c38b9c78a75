/** The networks this program can post to. */
export const NETWORKS = ['mastodon', 'bluesky', 'linkedin', 'x', 'facebook', 'instagram'] as const
export type Network = (typeof NETWORKS)[number]

export const NETWORK_NAMES: Readonly<Record<Network, string>> = {
  mastodon: 'Mastodon',
  bluesky: 'Bluesky',
  linkedin: 'LinkedIn',
  x: 'X',
  facebook: 'Facebook',
  instagram: 'Instagram',
}

/** One way in which a network measures a text. */
export interface Measure {
  readonly count: number
  readonly max: number
  readonly unit: string
}

/** What a link counts for on X and Mastodon, however long it is. */
const LINK_LENGTH = 23
const LINK = /https?:\/\/[^\s<>"]+/giu
/** Sentence marks after a link, and a bracket that was opened before it, are not part of it. Looked for once in each run. */
const AFTER_LINK = /(?<![.,;:!?'"»“”’)\]}])[.,;:!?'"»“”’)\]}]+$/u
const HASHTAG = /(?<![\p{L}\p{N}_&/#])#(?=[\p{N}_]*\p{L})[\p{L}\p{M}\p{N}_]{1,100}/gu
const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' })
/** Code points that count once on X; all others count twice (its published configuration, version 3). */
const LIGHT: readonly (readonly [number, number])[] = [
  [0, 4351],
  [8192, 8205],
  [8208, 8223],
  [8242, 8247],
]

export interface Span {
  readonly text: string
  /** UTF-16 index in the whole text. */
  readonly start: number
}

/** Every web address in a text, in order. */
export function linksIn(text: string): Span[] {
  return [...text.matchAll(LINK)].map((match) => ({ text: match[0].replace(AFTER_LINK, ''), start: match.index }))
}

/** Every hashtag with its sign, in order. */
export function hashtagsIn(text: string): Span[] {
  const links = linksIn(text)
  let next = 0
  return [...text.matchAll(HASHTAG)].flatMap(({ 0: tag, index }) => {
    while (endOf(links[next]) <= index) next++
    const isInLink = index > (links[next]?.start ?? Number.POSITIVE_INFINITY)
    return isInLink ? [] : [{ text: tag, start: index }]
  })
}

function endOf(span: Span | undefined): number {
  return span === undefined ? Number.POSITIVE_INFINITY : span.start + span.text.length
}

/** How long a text is in the eyes of a network; it takes the text when every measure is within its limit. */
export function measuresOf(network: Network, text: string): Measure[] {
  switch (network) {
    case 'mastodon':
      return [{ count: graphemes(withShortLinks(text)), max: 500, unit: 'characters' }]
    case 'bluesky':
      return [
        { count: graphemes(text), max: 300, unit: 'characters' },
        { count: Buffer.byteLength(text), max: 3_000, unit: 'bytes' },
      ]
    case 'x':
      return [{ count: weightedLength(text), max: 280, unit: 'weighted characters' }]
    case 'linkedin':
      return [{ count: text.length, max: 3_000, unit: 'characters' }]
    case 'facebook':
      return [{ count: text.length, max: 63_206, unit: 'characters' }]
    case 'instagram':
      return [
        { count: text.length, max: 2_200, unit: 'characters' },
        { count: hashtagsIn(text).length, max: 30, unit: 'hashtags' },
      ]
  }
}

function weightedLength(text: string): number {
  let length = 0
  for (const { segment } of GRAPHEMES.segment(withShortLinks(text.normalize('NFC')))) {
    // An emoji of several code points counts as one heavy character.
    if (/\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3/u.test(segment)) length += 2
    else for (const one of segment) length += isLight(one.codePointAt(0) ?? 0) ? 1 : 2
  }
  return length
}

function isLight(codePoint: number): boolean {
  return LIGHT.some(([from, to]) => codePoint >= from && codePoint <= to)
}

function withShortLinks(text: string): string {
  let short = text
  for (const { text: link, start } of linksIn(text).toReversed())
    short = short.slice(0, start) + 'x'.repeat(LINK_LENGTH) + short.slice(start + link.length)
  return short
}

function graphemes(text: string): number {
  return [...GRAPHEMES.segment(text)].length
}
