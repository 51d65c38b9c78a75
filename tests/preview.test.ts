import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareTexts } from '#adapters/diff/compare-texts.ts'
import { partsOf, readAction } from '#core/action.ts'
import { renderCard } from '#core/card.ts'
import { changesBlocks } from '#core/card-changes.ts'
import { withExample } from '#core/examples.ts'
import { claimsOf, groundingRisks, ownersWords } from '#core/grounding-card.ts'
import { makeTaskId } from '#core/ids.ts'
import { renderReview } from '#core/review.ts'
import { newTaskFile, renderSection, renderTaskFile, section, withSection } from '#core/task-file.ts'
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
        'b.com',
        'www.b.de/x',
        'a@b.org',
        '//b.net',
        'b.com.evil',
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

const DRAFT = 'Dear Ana, see http://b.example|x/`y and <https://a@b.example/> for 5 EUR, DE89 3704 0044 0532 0130 00'

/** A card as the executor makes it of a file whose title, subject, risk and original are a stranger's. */
function cardOf(title: string, original: string, words: string, draft = DRAFT) {
  const subject = title.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 200) || 'x'
  const task = newTaskFile(
    {
      ...{ id: ID, schema: '1', kind: 'EMAIL', domain: 'email', title: subject, created: '2026-11-20T10:00:00Z' },
      ...{ generation: '1', risk: [subject.slice(0, 90)] },
      action: {
        ...{ tool: 'email.send_email', account: 'me@home.example', to: ['ana@acme.example'], subject },
      } as { tool: string },
    },
    [renderSection('draft', draft), renderSection('original', original.replace(/^<!-- countersign:/gm, '<!-- '))].join(
      '\n',
    ),
  )
  const action = readAction(task)
  if (!action.ok) throw new Error(action.problem)
  const digest = `sha256:${'a'.repeat(64)}`
  const risks = [
    { flag: 'x', level: 'high', say: title },
    { flag: 'y', level: 'notice', say: words },
  ] as const
  const facts = {
    digest,
    presentedAt: '2026-11-20T10:00:00.000Z',
    undoSeconds: 10,
    risks,
    code: 'ACDEF',
    expires: undefined,
  }
  const owner = ownersWords({ handbook: words, goals: title, ownName: '' })
  const claims = claimsOf(partsOf(action.action).text, { original, notes: words }, owner)
  const traced = [...risks, ...groundingRisks(claims)]
  return renderCard(task, action.action, { ...facts, risks: traced, claims, notice: title })
}

describe('in the preview of an editor', () => {
  test('a card of a hostile mail draws nothing but our own elements, and no link', () => {
    fc.assert(
      fc.property(evil, evil, evil, (title, original, notice) => {
        // The draft is the person's to edit, and drawn as the text it is.
        const html = previewOf(renderTaskFile(withSection(cardOf(title, original, notice), 'draft', '')))
        expect(elementsOf(html).filter((name) => !OURS.includes(name))).toEqual([])
        expect(linksOf(html)).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  test('quotes of a hostile mail, and what has no source, draw nothing else', () => {
    fc.assert(
      fc.property(evil, evil, (...pieces) => {
        const [piece, other] = pieces.map((one) => one.replace(/[\r\n\u2028]+/g, ' '))
        const flat = `${piece} 2026-0412 ${other} 900 EUR on 3 March`
        const card = cardOf('x', `${flat}\nWe will send ${flat}`, 'x', `${flat}. We will send it to ${other} Bob`)
        const html = previewOf(renderTaskFile(withSection(card, 'draft', '')))
        expect(section(card, 'card')).toContain('Where it comes from')
        expect(elementsOf(html).filter((name) => !OURS.includes(name))).toEqual([])
        expect(linksOf(html)).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  test('a review sheet of hostile drafts draws nothing but our own elements, and links to their files only', () => {
    fc.assert(
      fc.property(evil, evil, evil, (title, draft, original) => {
        const card = section(cardOf(title, '', draft), 'card') ?? ''
        const item = { taskId: ID, path: PATH, title, brief: title, card, draft, original, risks: 1, at: '' }
        const { text } = renderReview({
          ...{ at: '2026-11-20T10:00:00Z', reason: draft, items: [item] },
          apart: [{ path: PATH, title: original, say: title }],
        })
        const html = previewOf(text)
        expect(elementsOf(html).filter((name) => !OURS.includes(name))).toEqual([])
        expect(linksOf(html)).toEqual([PATH, PATH])
        expect(html.match(/<pre>/g)).toHaveLength(original === '' ? 1 : 2)
      }),
      { numRuns: 300 },
    )
  })

  test('what changed in a draft, the notes it answers, and a note of examples draw nothing else', () => {
    fc.assert(
      fc.property(evil, evil, evil, (before, after, notes) => {
        const changes = { revision: 2, answers: notes, isUnanswered: false, lines: compareTexts(before, after) }
        const example = { id: ID, at: '2026-11-20T10:00:00.000Z', title: notes, before, after }
        for (const note of [changesBlocks(changes).join('\n\n'), withExample(undefined, 'ana@acme.example', example)]) {
          const html = previewOf(note)
          expect(elementsOf(html).filter((name) => !OURS.includes(name))).toEqual([])
          expect(linksOf(html)).toEqual([])
        }
      }),
      { numRuns: 300 },
    )
  })

  test('no pipe of a stranger ends a cell of the card', () => {
    for (const pipe of ['|', '\\|', '\\\\|', '\\\\\\|', '`|', '`` | ``']) {
      const html = previewOf(renderTaskFile(cardOf(`begin ${pipe} end`, '', 'x')))
      expect(/<td>Subject<\/td>\n<td>(.*)<\/td>/.exec(html)?.[1], pipe).toMatch(/begin .* end/)
    }
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
