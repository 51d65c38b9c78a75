import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Claim, type ClaimKind, groundDraft, indexSource } from './grounding.ts'
import { dayNumber } from './grounding-dates.ts'

/** A Friday. */
const TODAY = dayNumber('2026-11-20')

function claims(draft: string, mail: string, handbook = ''): Claim[] {
  return groundDraft(draft, [indexSource('mail', mail, TODAY), indexSource('handbook', handbook)], TODAY)
}
/** What a draft says of this kind, with the line of the mail (or of the handbook, `h1`) it comes from. */
function traced(kind: ClaimKind, draft: string, mail: string, handbook = ''): string[] {
  return claims(draft, mail, handbook)
    .filter((one) => one.kind === kind)
    .map(
      ({ written, source }) => `${written} < ${source ? `${source.where === 'mail' ? '' : 'h'}${source.line}` : '?'}`,
    )
}

describe('a date is the same in any spelling', () => {
  test.each([
    ['3 March 2027', 'on 03/03/2027'],
    ['3. März 2027', 'on 2027-03-03'],
    ['March 3rd, 2027', 'am 3.3.2027 um'],
    ['le 3 mars', 'on March 3'],
    ['3 de marzo de 2027', 'il 3 marzo 2027'],
    ['05/03/2027', 'am 5. März 2027'],
    ['05/03/2027', 'May 3, 2027'],
    ['03.03.27', 'op 3 maart 2027'],
    ['2027年3月3日', '3rd of March'],
    ['27 November', 'next Friday'],
    ['next Friday', 'am 27.11.'],
    ['nächsten Freitag', 'vendredi prochain'],
    ['tomorrow', 'Saturday'],
    ['am 21. November', 'demain'],
    ['in March', 'since 3 March 2027'],
  ])('%s, where the mail says %s', (draft, mail) => {
    expect(traced('date', `That is ${draft}.`, `Hello\n${mail}`).map((one) => one.split(' < ')[1])).toEqual(['2'])
  })

  test.each([
    ['3 March 2028', '3 March 2027'],
    ['4 March', '3 March'],
    ['13/03/2027', '14/03/2027'],
    ['Monday', '27 November 2026'],
    ['next Friday', '28 November 2026'],
    ['tomorrow', 'some day'],
    ['in April', '3 March'],
  ])('%s is another day than %s', (draft, mail) => {
    expect(traced('date', `That is ${draft}.`, mail)).toEqual([expect.stringMatching(/ < \?$/)])
  })

  test.each(['You may 3 times', 'version 1.2.3', 'http://x.example/2026-11-20', 'Guten Morgen', 'no. 45.13.'])(
    '%s names none',
    (draft) => expect(traced('date', draft, '')).toEqual([]),
  )
})

test.each([
  ['at 15:00', '3 pm'],
  ['um 15 Uhr', 'at 15:00'],
  ['at 3:30', '15.30 Uhr'],
  ['à 15h30', 'at 3:30 p.m.'],
])('a time is the same in any spelling: %s is %s', (draft, mail) => {
  expect(traced('time', draft, mail)).toEqual([expect.stringMatching(/ < 1$/)])
  expect(traced('time', draft, 'at 16:45')).toEqual([expect.stringMatching(/ < \?$/)])
})

test.each([
  ['EUR 1,200.50', 'It is 1.200,50 €', '1'],
  ['1 200,50 EUR', 'nothing', '?'],
  ['200 USD', 'Is it 200 €?', '?'],
  ['200 €', '| total | 200,00 |', '1'],
  ['1,2 Mio EUR', '1 200 000 €', '1'],
])('the amount %s, where the mail says %s', (draft, mail, line) => {
  expect(traced('amount', `It costs ${draft}`, mail)).toEqual([expect.stringContaining(` < ${line}`)])
})

test.each([
  ['Invoice 2026-0412', 'Rechnung 2026/0412', ['2026-0412 < 1']],
  ['Invoice 2026-0413', 'Rechnung 2026/0412', ['2026-0413 < ?']],
  ['Call +49 30 1234567', 'Tel. +49 (30) 123 45 67', ['+49 30 1234567 < 1']],
  ['Call +49 30 1234568', 'Tel. +49 (30) 123 45 67', ['+49 30 1234568 < ?']],
  ['5 % off', 'nothing', ['5 % < ?']],
  ['25% off', '25 % off', ['25% < 1']],
  ['1. First\n2) Second, 3 of them', '', []],
  ['See https://x.example/4711 and a99@x.example', '', []],
  ['Pay to DE89 3704 0044 0532 0130 00', '', []],
  ['Model X200', 'the x200', ['X200 < 1']],
])('numbers of %j', (draft, mail, expected) => {
  expect(traced('number', draft, mail)).toEqual(expected)
})

test.each([
  ['I met Bob Stone there', 'Ask bob stone', ['Bob Stone < 1']],
  ['I met Bob Stone there', 'Ask Bob', ['Bob Stone < ?']],
  ['Dear Ana Ruiz,', 'From: Ana Ruiz <a@x.example>', ['Ana Ruiz < 1']],
  ['Yesterday it came. Nobody knew. “Well, we see.”', '', []],
  ['I talked to Mr. Keller. The parcel is here', '', ['Keller < ?']],
  ['It is from Ana’s Nordwind Trading', 'nordwind trading', ['Ana Nordwind Trading < ?']],
  [
    'Die Rechnung für das Angebot und der Vertrag sind bei Herrn Keller und der Bosbach GmbH',
    '',
    ['Keller < ?', 'Bosbach GmbH < ?'],
  ],
  ['Sehr geehrte Frau Dr. Ruiz, vielen Dank für Ihre Anfrage', 'From: Ruiz', ['Ruiz < 1']],
  ['We meet on Monday in May at the VAT office', '', []],
])('names of %j', (draft, mail, expected) => {
  expect(traced('name', draft, mail)).toEqual(expected)
})

describe('promises', () => {
  test.each([
    ['We will send the contract on paper.', 'Could you send me the\ncontract on paper?', '1'],
    ['We will deliver the engine block.', 'Could you send me the contract?', '?'],
    ['Wir senden Ihnen den Vertrag per Post.', 'Bitte den Vertrag per Post senden', '1'],
    ['Nous vous enverrons le contrat.', 'Envoyez le contrat', '?'],
    ['Nous nous engageons à livrer le contrat.', 'livrer le contrat', '1'],
    ['Le enviaremos el contrato firmado.', 'el contrato firmado', '1'],
    ['Ci impegniamo a consegnare il contratto.', '', '?'],
    ['Wij zullen het contract sturen.', '', '?'],
    ['Your parcel will be delivered.', '', '?'],
    ['The repair is free of charge.', 'The repair of the fridge', '?'],
  ])('%s from %j', (draft, mail, line) => {
    expect(traced('promise', draft, mail)).toEqual([`${draft} < ${line}`])
  })

  test.each(['We will be happy to help.', 'I will get back to you about it.', 'Ich werde mich melden.', 'It arrived.'])(
    '%s is none to be held to',
    (draft) => expect(traced('promise', draft, '')).toEqual([]),
  )

  test('one that costs is looked for with the owner first, and only where cost is spoken of', () => {
    const draft = 'We refund the deposit for the flat.'
    expect(
      traced('promise', draft, 'I want a refund of the deposit.', '- We refund a deposit after two weeks'),
    ).toEqual([`${draft} < h1`])
    expect(traced('promise', draft, 'I want a refund of the deposit.')).toEqual([`${draft} < 1`])
    expect(traced('promise', draft, 'I paid a deposit for the flat.')).toEqual([`${draft} < ?`])
    expect(claims(draft, '')[0]).toMatchObject({ kind: 'promise', isCostly: true })
  })
})

test('a source is quoted shortly, around what was found', () => {
  const long = `${'word '.repeat(100)}2026-0412 ${'word '.repeat(100)}`
  const [claim] = claims('Invoice 2026-0412', long)
  expect(claim?.source).toMatchObject({ where: 'mail', line: 1, quote: expect.stringMatching(/^….*2026-0412.*…$/) })
  expect(claim?.source?.quote.length).toBeLessThan(90)
})

test('what cannot be seen parts no word, and looks of letters make no difference', () => {
  expect(traced('number', 'Invoice 2026-0412', 'Invoice 2026⟦U+200B⟧-0412')).toEqual(['2026-0412 < 1'])
  expect(traced('number', 'Invoice ２０２６', 'Invoice 20\u200b26')).toEqual(['2026 < 1'])
})

test('whatever stands in both: traced without a fault, each claim once, and long texts in time', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({ unit: 'binary', maxLength: 200 }),
      (a, b) => {
        const found = claims(a.toWellFormed(), b.toWellFormed())
        expect(new Set(found.map((one) => JSON.stringify(one))).size).toBe(found.length)
      },
    ),
  )
  for (const piece of ['10:00 ', '+1 2', 'we will send. ', "j'a"]) {
    const found = claims(piece.repeat(100_000 / piece.length), piece.repeat(100_000 / piece.length))
    expect(found.length).toBeLessThanOrEqual(300)
  }
})
