import { convert, type FormatCallback, type HtmlToTextOptions } from 'html-to-text'
import { HIDDEN_MARK, hiddenSelectors, markHidden } from './hidden-html.ts'

const MAX_HTML_CHARS = 1_000_000
/** Tags that are never closed cost by the square of their number. */
const MAX_TAGS = 50_000
const SKIPPED = [
  ...['[hidden]', '[aria-hidden="true"]', 'template', 'object', 'svg', 'img', 'script', 'style', 'head', 'noscript'],
  ...['iframe', 'textarea', 'select', 'datalist', `[${HIDDEN_MARK}="hidden"]`],
]
/** White words may stand on a coloured button, or on nothing: the reader of the quote is told, and so is the model. */
const FAINT = [
  `[${HIDDEN_MARK}="faint"]`,
  ...['white', '#fff', '#ffffff', 'fff', 'ffffff'].map((color) => `font[color="${color}" i]`),
]

const faint: FormatCallback = (element, walk, builder) => {
  builder.addInline('[in white: ')
  walk(element.children, builder)
  builder.addInline(']')
}

/**
 * An HTML part as plain text: images and scripts left out, links as `words [address]`. What a person would not have seen in a
 * mail program must not reach the drafter as if they had: hidden parts are left out, white words are labelled.
 */
export function htmlToPlainText(html: string): string {
  const source = withinTags(html.slice(0, MAX_HTML_CHARS))
  const text = convert(markHidden(source), optionsFor(source)).replace(/\n{3,}/g, '\n\n')
  return `${text.trim()}${source.length < html.length ? '\n[…]' : ''}`.trim()
}

function withinTags(html: string): string {
  let tags = 0
  for (const { index } of html.matchAll(/<\/?[a-z]/gi)) if (++tags > MAX_TAGS) return html.slice(0, index)
  return html
}

function optionsFor(html: string): HtmlToTextOptions {
  const classes = hiddenSelectors(html)
  const skipped = classes.filter(({ visibility }) => visibility === 'hidden').map(({ selector }) => selector)
  const faded = classes.filter(({ visibility }) => visibility === 'faint').map(({ selector }) => selector)
  return {
    wordwrap: false,
    limits: { maxInputLength: MAX_HTML_CHARS, maxDepth: 100, maxChildNodes: 5_000, ellipsis: '[…]' },
    formatters: { faint },
    selectors: [
      // Addresses stay beside their words, so that a link whose words name another place is seen.
      { selector: 'a', options: { hideLinkHrefIfSameAsText: true } },
      { selector: 'h1', options: { uppercase: false } },
      { selector: 'h2', options: { uppercase: false } },
      { selector: 'h3', options: { uppercase: false } },
      { selector: 'table', options: { uppercaseHeaderCells: false } },
      ...[...FAINT, ...faded].map((selector) => ({ selector, format: 'faint' })),
      ...[...SKIPPED, ...skipped].map((selector) => ({ selector, format: 'skip' })),
    ],
  }
}
