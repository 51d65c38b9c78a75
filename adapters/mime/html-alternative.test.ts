import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { htmlAlternative } from './html-alternative.ts'
import { htmlToPlainText } from './html-text.ts'

const bodyOf = (html: string) => /<body>\r\n([\s\S]*)\r\n<\/body>/.exec(html)?.[1]

describe('htmlAlternative', () => {
  it('keeps paragraphs and lines', () => {
    expect(bodyOf(htmlAlternative('Dear Ana,\n\none\ntwo\r\n \nKind regards'))).toBe(
      '<p>Dear Ana,</p>\r\n<p>one<br>\r\ntwo</p>\r\n<p>Kind regards</p>',
    )
  })

  it('makes everything inert', () => {
    const html = htmlAlternative('<img src="https://x.test/p.png"> & <script>alert(1)</script>')
    expect(bodyOf(html)).toBe(
      '<p>&lt;img src=&quot;<a href="https://x.test/p.png">https://x.test/p.png</a>&quot;&gt; &amp; &lt;script&gt;alert(1)&lt;/script&gt;</p>',
    )
  })

  it.each([
    ['See https://a.test/x?b=1&c=2.', 'See <a href="https://a.test/x?b=1&amp;c=2">https://a.test/x?b=1&amp;c=2</a>.'],
    ['(http://a.test)', '(<a href="http://a.test">http://a.test</a>)'],
    ['javascript:alert(1) ftp://a.test www.a.test', 'javascript:alert(1) ftp://a.test www.a.test'],
    ['https://', 'https://'],
  ])('links %j by its own address only', (text, html) => {
    expect(bodyOf(htmlAlternative(text))).toBe(`<p>${html}</p>`)
  })

  it('keeps indentation and columns', () => {
    expect(bodyOf(htmlAlternative('  a  b\tc'))).toBe('<p>\u00a0 a\u00a0 b\u00a0\u00a0\u00a0 c</p>')
  })

  it('has only tags of its own, and says the same words', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '&',
      '&amp;',
      ' ',
      '\n',
      '\n\n',
      'a',
      'ö',
      'https://a.test/',
      '=',
      '</p>',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (parts) => {
        const text = parts.join('')
        const html = bodyOf(htmlAlternative(text)) ?? ''
        expect(html.replace(/<\/?p>|<br>|<a href="[^"<>]*">|<\/a>/g, '')).not.toMatch(/[<>"]/)
        const words = (some: string) => some.replace(/[\s\u00a0]+/g, '')
        expect(words(htmlToPlainText(html))).toBe(words(text))
      }),
    )
  })
})
