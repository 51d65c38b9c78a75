import { convert, type HtmlToTextOptions } from 'html-to-text'

const MAX_HTML_CHARS = 1_000_000

/**
 * Styles that hide text. What a person would not have seen in a mail program must not reach the drafter as if they
 * had (white on white is not caught; the person sees it in the quote).
 */
const HIDING_STYLES = [
  'display:none',
  'display: none',
  'visibility:hidden',
  'visibility: hidden',
  'font-size:0',
  'font-size: 0',
  'opacity:0;',
  'opacity: 0;',
  'mso-hide:all',
  'mso-hide: all',
]
const SKIPPED = ['[hidden]', '[aria-hidden="true"]', 'template', 'object', 'svg', 'img', 'script', 'style', 'head']

const OPTIONS: HtmlToTextOptions = {
  wordwrap: false,
  limits: { maxInputLength: MAX_HTML_CHARS, maxDepth: 100, maxChildNodes: 5_000, ellipsis: '[…]' },
  selectors: [
    // Addresses stay beside their words, so that a link whose words name another place is seen.
    { selector: 'a', options: { hideLinkHrefIfSameAsText: true } },
    { selector: 'h1', options: { uppercase: false } },
    { selector: 'h2', options: { uppercase: false } },
    { selector: 'h3', options: { uppercase: false } },
    { selector: 'table', options: { uppercaseHeaderCells: false } },
    ...SKIPPED.map((selector) => ({ selector, format: 'skip' })),
    ...HIDING_STYLES.map((style) => ({ selector: `[style*="${style}" i]`, format: 'skip' })),
  ],
}

/** An HTML part as plain text: hidden parts, images and scripts left out, links as `words [address]`. */
export function htmlToPlainText(html: string): string {
  return convert(html, OPTIONS)
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}
