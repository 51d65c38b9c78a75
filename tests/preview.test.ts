import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeTaskId } from '#core/ids.ts'
import { renderReview } from '#core/review.ts'
import { elementsOf, linksOf, previewOf } from '#tests/support/preview.ts'

/** What our own notes are made of. No image, no form, no script, no style. */
const OURS = [
  ...['a', 'blockquote', 'code', 'em', 'h1', 'h2', 'hr', 'li', 'p', 'pre', 'strong', 'table', 'tbody', 'td', 'th'],
  ...['thead', 'tr', 'ul'],
]
const ID = makeTaskId(1_700_000_000_000, new Uint8Array(10))
const PATH = `Pending_Approval/email/EMAIL_2026-11-20_invoice_000000.md`

const evil = fc
  .array(
    fc.constantFrom(
      ...[
        '\n',
        '\n\n',
        ' ',
        '`',
        '```',
        '~~~',
        '````',
        '> ',
        '- ',
        '    ',
        '\t',
        '|',
        '\\',
        '<!--',
        '-->',
        '\r',
        '\u2028',
      ],
      ...[
        '<img src=http://b.example/p.gif>',
        '<script>x</script>',
        '<a href=http://b.example>x</a>',
        '<details>',
        '</pre>',
      ],
      ...[
        '![x](http://b.example/p.gif)',
        '[x](http://b.example)',
        '[x]: http://b.example',
        '<http://b.example>',
        '[x]',
      ],
      ...[
        'http://b.example',
        'www.b.example',
        'b.example',
        'a@b.example',
        'mailto:a@b.example',
        '&lt;b&gt;',
        '# x',
        '---',
      ],
      ...[
        '<iframe',
        'onload=x',
        'style=',
        '<% x %>',
        '{{x}}',
        '[[x]]',
        '![[x]]',
        '%%',
        '$x$',
        '`= x`',
        '[x](javascript:x)',
      ],
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''))

describe('in the preview of an editor', () => {
  test('a review sheet of hostile drafts draws nothing but our own elements, and links to their files only', () => {
    fc.assert(
      fc.property(evil, evil, evil, (title, draft, original) => {
        const item = { taskId: ID, path: PATH, title, brief: title, card: '', draft, original, risks: 1, at: '' }
        const { text } = renderReview({
          ...{ at: '2026-11-20T10:00:00Z', reason: draft, items: [item] },
          apart: [{ path: PATH, title: original, say: title }],
        })
        const html = previewOf(text)
        expect(elementsOf(html).filter((name) => !OURS.includes(name))).toEqual([])
        expect(linksOf(html)).toEqual([PATH, PATH])
        expect(html.match(/<pre>/g)).toHaveLength(original === '' ? 1 : 2)
      }),
      { numRuns: 500 },
    )
  })

  test('the text that goes out is drawn letter for letter', () => {
    const draft = `Dear Ana,\n\n- [x] one  \n1. <two> & "three"\n\nhttps://bank.example/a?b=c::d [[x]] {{y}} a_b_c\n\n${'word '.repeat(50)}end ${'x'.repeat(300)}\n\n~~~\ncode\n\`\`\`\n-- \nMe`
    const item = { taskId: ID, path: PATH, title: 't', brief: 'b', card: '', draft, original: '', risks: 0, at: '' }
    const html = previewOf(renderReview({ at: '2026-11-20T10:00:00Z', items: [item], apart: [] }).text)
    const drawn = /<pre><code[^>]*>([\s\S]*?)<\/code><\/pre>/.exec(html)?.[1] ?? ''
    const text = drawn
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&')
    expect(text).toMatch(/\n↪ x+\n/)
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(100)
    expect(text.replaceAll('\n↪ ', '')).toBe(`${draft}\n`)
  })
})
