import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { attachmentsSchema, describeFile, MAX_ATTACHED_BYTES, readFiles, shownSize } from './attachment.ts'
import { CountersignError } from './errors.ts'
import { MAX_ATTACHMENT_BYTES } from './path-ownership.ts'

const BYTES = Buffer.from('%PDF-1.7 offer')
const SHA = createHash('sha256').update(BYTES).digest('hex')
const OFFER = describeFile('offer.pdf', BYTES)
const accepts = (changes: Record<string, unknown>) => attachmentsSchema.safeParse([{ ...OFFER, ...changes }]).success

describe('a file of a mail', () => {
  it('is described by its content', () => {
    expect(OFFER).toEqual({
      ...{ name: 'offer.pdf', path: `Attachments/${SHA}.pdf`, size: '14', sha256: SHA, type: 'application/pdf' },
    })
    expect(describeFile('Übersicht (März).XLSX', BYTES)).toMatchObject({ path: `Attachments/${SHA}.xlsx` })
  })

  it.each(['run.sh', 'note.md', 'page.html', 'constructor', 'noending'])('keeps %s where nothing runs it', (name) => {
    expect(describeFile(name, BYTES)).toMatchObject({
      path: `Attachments/${SHA}.bin`,
      type: 'application/octet-stream',
    })
  })

  it.each([
    ['', BYTES],
    ['../offer.pdf', BYTES],
    ['a\\b.pdf', BYTES],
    ['offer\u202efdp.exe', BYTES],
    ['offer.pdf\r\nX: y', BYTES],
    ['.hidden', BYTES],
    ['a'.repeat(121), BYTES],
    ['empty.pdf', Buffer.alloc(0)],
    ['huge.pdf', Buffer.alloc(MAX_ATTACHMENT_BYTES + 1)],
  ])('refuses %j', (name, bytes) => {
    expect(() => describeFile(name, bytes)).toThrow(CountersignError)
  })

  it.each([
    [{}, true],
    [{ path: `Attachments/${'0'.repeat(64)}.pdf` }, false],
    [{ path: `Approved/${SHA}.pdf` }, false],
    [{ path: `Attachments/../Attachments/${SHA}.pdf` }, false],
    [{ size: 14 }, false],
    [{ size: '-1' }, false],
    [{ sha256: SHA.toUpperCase() }, false],
    [{ type: 'text/html; charset=x' }, false],
    [{ name: 'a/b.pdf' }, false],
    [{ url: 'https://x.test' }, false],
  ])('with %j counts: %s', (changes, isFine) => {
    expect(accepts(changes)).toBe(isFine)
  })

  it('is one of a few, and all together are not too large', () => {
    const of = (size: number, count: number) =>
      attachmentsSchema.safeParse(Array.from({ length: count }, () => ({ ...OFFER, size: String(size) }))).success
    expect([of(1, 20), of(1, 21)]).toEqual([true, false])
    expect([of(MAX_ATTACHED_BYTES / 2, 2), of(MAX_ATTACHED_BYTES / 2 + 1, 2)]).toEqual([true, false])
    expect(of(1, 0)).toBe(false)
  })
})

describe('reading the files', () => {
  const reading = (content: Uint8Array | undefined) => readFiles([OFFER], async () => content)

  it('gives the bytes that were checked', async () => {
    expect(await reading(BYTES)).toEqual([{ name: 'offer.pdf', type: 'application/pdf', bytes: BYTES }])
  })

  it.each([
    ['gone', undefined],
    ['replaced', Buffer.from('%PDF-1.7 other')],
    ['longer', Buffer.concat([BYTES, BYTES])],
  ])('refuses one that is %s', async (_what, content) => {
    await expect(reading(content)).rejects.toMatchObject({ code: 'ERR_ATTACHMENT_CHANGED' })
  })

  it('refuses one whose size was not the one that was shown', async () => {
    const lied = readFiles([{ ...OFFER, size: '15' }], async () => BYTES)
    await expect(lied).rejects.toMatchObject({ code: 'ERR_ATTACHMENT_CHANGED' })
  })
})

it('says sizes in words', () => {
  expect([999, 12_400, 1_440_000].map(shownSize)).toEqual(['999 bytes', '12 kB', '1.4 MB'])
})
