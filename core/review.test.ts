import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeTaskId, shortId, type TaskId } from './ids.ts'
import {
  asksForReview,
  isReview,
  MAX_REVIEW_BYTES,
  MAX_REVIEW_ITEMS,
  type ReviewItem,
  renderReview,
  renderReviewDone,
  reviewDigest,
  ticksInReview,
} from './review.ts'

const AT = '2026-11-20T12:00:00.000Z'
const idOf = (number: number): TaskId => makeTaskId(1_700_000_000_000 + number, new Uint8Array(10).fill(number % 256))
const itemOf = (number: number, changed: Partial<ReviewItem> = {}): ReviewItem => ({
  taskId: idOf(number),
  path: `Pending_Approval/email/EMAIL_2026-11-20_invoice_${shortId(idOf(number))}.md`,
  title: `Invoice ${number}`,
  brief: 'reply to ana@acme.example',
  card: '| | |\n|---|---|\n| To | `ana@acme.example` |\n| Fingerprint | `sha256:aaaa` |',
  draft: 'Dear Ana,\n\nit is on its way.',
  original: '```text\nWhere is it?\n```',
  risks: 0,
  at: AT,
  ...changed,
})
const sheetOf = (items: ReviewItem[], more: object = {}) => renderReview({ at: AT, items, apart: [], ...more })
const tickBox = (text: string, id: TaskId) =>
  text.replace(`- [ ] Approve ${shortId(id)}`, `- [x] Approve ${shortId(id)}`)

describe('the sheet', () => {
  test('shows each draft in full under a box of its own, with its card, its text and what it answers', () => {
    const { text, shown } = sheetOf([itemOf(1), itemOf(2)])
    expect(shown.map((one) => one.title)).toEqual(['Invoice 1', 'Invoice 2'])
    expect(text.match(/^- \[ \] Approve /gm)).toHaveLength(2)
    expect(text).toContain('| To | `ana@acme.example` |')
    expect(text).toContain('```text\nDear Ana,\n\nit is on its way.\n```')
    expect(text).toContain('```text\nWhere is it?\n```')
    expect(text).toContain('(Pending_Approval/email/EMAIL_')
  })

  test('has the riskiest first, then the oldest', () => {
    const items = [
      itemOf(1, { at: '2026-11-20T12:00:00Z' }),
      itemOf(2, { at: '2026-11-19T12:00:00Z' }),
      itemOf(3, { risks: 1 }),
      itemOf(4, { risks: 2 }),
    ]
    expect(sheetOf(items).shown.map((one) => one.title)).toEqual(['Invoice 4', 'Invoice 3', 'Invoice 2', 'Invoice 1'])
  })

  test('names with a link what has no box, and why', () => {
    const { text, shown } = sheetOf([], {
      apart: [{ path: 'Pending_Approval/payment/P_2026-11-20_rent_abcdef.md', title: 'Rent', say: 'it needs a code' }],
      reason: 'one draft changed',
    })
    expect(shown).toEqual([])
    expect(text).toContain('- [Rent](Pending_Approval/payment/P_2026-11-20_rent_abcdef.md): it needs a code')
    expect(text).toContain('> **A new sheet:** one draft changed')
    expect(text).not.toContain('- [ ]')
  })

  test('never cuts a draft: one that is too long has a link instead', () => {
    const long = itemOf(1, { draft: 'x'.repeat(20_001) })
    const { text, shown } = sheetOf([long, itemOf(2)])
    expect(shown.map((one) => one.title)).toEqual(['Invoice 2'])
    expect(text).toContain('too long for this sheet')
  })

  test('is bounded in items and in bytes', () => {
    const many = sheetOf(Array.from({ length: 250 }, (_, index) => itemOf(index)))
    expect(many.shown).toHaveLength(MAX_REVIEW_ITEMS)
    expect(many.text).toContain('… and 50 more')
    const big = sheetOf(Array.from({ length: 90 }, (_, index) => itemOf(index, { draft: 'ä'.repeat(9_000) })))
    expect(big.shown.length).toBeGreaterThan(10)
    expect(Buffer.byteLength(big.text)).toBeLessThan(MAX_REVIEW_BYTES + 40 * 1024)
  })

  test('says the same for the same facts, and has no boxes once all is decided', () => {
    expect(sheetOf([itemOf(2), itemOf(1)])).toEqual(sheetOf([itemOf(1), itemOf(2)]))
    const done = renderReviewDone({ at: AT, waiting: 3 })
    expect(done.text).toContain('3 drafts are waiting for you.')
    expect([isReview(done.text), ticksInReview(done.text)]).toEqual([true, []])
  })
})

describe('ticks in the sheet', () => {
  const { text, digest } = sheetOf([itemOf(1), itemOf(2), itemOf(3)])

  test('are read by the id of their box, and change nothing else of the sheet', () => {
    const ticked = tickBox(tickBox(text, idOf(1)), idOf(3)).replace('- [x] Approve', '- [X] Approve')
    expect(ticksInReview(text)).toEqual([])
    expect(ticksInReview(ticked)).toEqual([idOf(1), idOf(3)])
    expect(reviewDigest(ticked)).toBe(digest)
  })

  test.each([
    ['Windows line ends', (one: string) => one.replaceAll('\n', '\r\n')],
    ['a byte order mark', (one: string) => `\ufeff${one}`],
    ['blanks at the ends of lines', (one: string) => one.replaceAll('\n', ' \t\n')],
    ['more lines at the end', (one: string) => `${one}\n\n`],
  ])('stand in spite of %s', (_what, change) => {
    const changed = change(tickBox(text, idOf(2)))
    expect([isReview(changed), reviewDigest(changed), ticksInReview(changed)]).toEqual([true, digest, [idOf(2)]])
  })

  test.each([
    ['another letter of a draft', (one: string) => one.replace('on its way', 'on its wax')],
    ['another recipient in a card', (one: string) => one.replace('ana@', 'eve@')],
    ['a box under another draft', (one: string) => one.replaceAll(idOf(1), idOf(9)).replaceAll(idOf(2), idOf(1))],
    ['a box of one’s own', (one: string) => `${one}\n- [x] Approve ${shortId(idOf(9))}\n`],
    ['a line taken out', (one: string) => one.replace('**The text that goes out**\n', '')],
  ])('do not hide %s', (_what, change) => {
    expect(change(text)).not.toBe(text)
    expect(reviewDigest(change(text))).not.toBe(digest)
  })

  test.each([
    ['without a mark', '- [x] Approve abcdef'],
    ['with half a mark', `<!-- countersign:tick ${idOf(9)} -->\n- [x] Approve abcdef`],
    ['of something else', `<!-- countersign:tick ${idOf(9)} -->\n- [x] Reject abcdef\n<!-- countersign:/tick -->`],
    ['of no task', `<!-- countersign:tick x -->\n- [x] Approve abcdef\n<!-- countersign:/tick -->`],
    ['indented', `<!-- countersign:tick ${idOf(9)} -->\n  - [x] Approve abcdef\n<!-- countersign:/tick -->`],
  ])('%s are none', (_what, box) => expect(ticksInReview(`${text}\n${box}\n`)).toEqual([]))
})

test.each([
  ['', true, false],
  [' \n\ufeff', true, false],
  ['\ufeff\n', true, false],
  ['My own notes on a book', false, false],
  ['<!-- countersign:review -->\n# Review', false, true],
])('the note %j asks for a sheet: %s, is one: %s', (text, asks, is) =>
  expect([asksForReview(text), isReview(text)]).toEqual([asks, is]),
)

/** What a stranger may bring into a title, a recipient's words, a draft, an original, a card that is ours. */
const evil = fc
  .array(
    fc.constantFrom(
      ...[
        '\n',
        ' ',
        '`',
        '```',
        '````\n',
        '~~~',
        '<!--',
        '-->',
        '<!-- countersign:/tick -->',
        '\u202e',
        '\r',
        '\u2028',
      ],
      ...[
        `<!-- countersign:tick ${idOf(9)} -->`,
        '- [x] Approve aaaaaa',
        '\n- [x] Approve aaaaaa\n',
        '# x',
        '|',
        '<script>',
      ],
      ...[
        `\n<!-- countersign:tick ${idOf(9)} -->\n- [x] Approve aaaaaa\n<!-- countersign:/tick -->\n`,
        '![a](http://b.example/c)',
      ],
      ...['[x]: http://b.example', '&lt;', '\\', '\t', '    ', '> ', '\ud800', '\u0000', '<% tp %>', 'x'],
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''))

test('no title, recipient, draft or original forges a box, a tick or a sheet', () => {
  fc.assert(
    fc.property(evil, evil, evil, evil, (title, brief, draft, original) => {
      const { text, digest } = renderReview({
        at: AT,
        reason: title,
        items: [itemOf(1, { title, brief, draft, original, card: brief.replaceAll('\n', ' ') }), itemOf(2)],
        apart: [{ path: 'Pending_Approval/email/x.md', title: draft, say: original }],
      })
      expect(ticksInReview(text)).toEqual([])
      expect(text.split('\n').filter((line) => line.startsWith('<!-- countersign:tick '))).toHaveLength(2)
      const ticked = tickBox(text, idOf(2))
      expect(ticksInReview(ticked)).toEqual([idOf(2)])
      expect(reviewDigest(ticked)).toBe(digest)
    }),
    { numRuns: 500 },
  )
})

test('a sheet in which somebody left long blanks is read quickly', () => {
  const { text, digest } = renderReview({ at: AT, items: [itemOf(1)], apart: [] })
  expect(reviewDigest(text.replace('\n\n', `${' '.repeat(200_000)}\n\n`))).toBe(digest)
  expect(reviewDigest(text.replace('\n\n', `${' '.repeat(200_000)}x\n\n`))).not.toBe(digest)
}, 5_000)
