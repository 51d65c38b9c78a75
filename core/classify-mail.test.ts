import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { classifyMail, type MailFacts, withVerdict } from './classify-mail.ts'
import { ownWords, signsOf } from './mail-signs.ts'
import type { IncomingMail } from './ports/mail.ts'
import { readTriageRules } from './triage-rules.ts'

const IBAN = 'DE89 3704 0044 0532 0130 00'
const FACTS: MailFacts = {
  ownAddresses: new Set(['owner@x.example']),
  rules: [],
  contacts: { addresses: ['anna@client.example'], domains: ['partner.example'] },
}
const withRules = (...lines: string[]): MailFacts => ({
  ...FACTS,
  rules: readTriageRules(['## Triage', ...lines].join('\n')).rules,
})
function mail(
  subject: string,
  text: string,
  changes: { from?: string; headers?: Record<string, string> } = {},
): IncomingMail {
  return {
    messageId: '<m@x.example>',
    references: [],
    from: { name: '', address: changes.from ?? 'client@other.example' },
    replyTo: [],
    to: [{ name: '', address: 'owner@x.example' }],
    cc: [],
    subject,
    receivedAt: 0,
    text,
    attachments: [],
    headers: new Map(Object.entries(changes.headers ?? {}).map(([name, value]) => [name, [value]])),
    digest: '',
    problems: [],
  }
}
const sorted = (one: IncomingMail, facts = FACTS) => classifyMail(one, facts).classification

describe('somebody asks for an invoice', () => {
  test.each([
    [
      'Invoice for March',
      'Hello Olivia,\n\ncould you send me the invoice for March, please? I would like to pay it this week.\n\nClara',
    ],
    ['March', 'We still need an invoice for the workshop for our books.'],
    ['Invoice request', 'See subject.'],
    ['Order 12', 'Please invoice us for the second half as well.'],
    ['Rechnung', 'Guten Tag,\nkönnten Sie mir bitte die Rechnung für\nden Monat März zuschicken?'],
    ['Workshop', 'wir bräuchten noch eine Rechnung für den Workshop. Danke!'],
    ['Auftrag 12', 'Bitte um Rechnung an unsere neue Anschrift'],
    ['Facture', 'Bonjour, pourriez-vous m’envoyer la facture de mars ? Merci'],
    ['Commande', 'Nous avons besoin d’une facture pour notre comptabilité.'],
    ['Factura', 'Hola, ¿me podría enviar la factura de marzo, por favor?'],
    ['Pedido 7', 'Necesitamos una factura a nombre de la empresa.'],
    ['Fattura', 'Buongiorno, potrebbe inviarmi la fattura di marzo? Grazie'],
    ['Zamówienie', 'Dzień dobry, proszę o wystawienie faktury na firmę.'],
    ['Faktura', 'Czy mogą Państwo przesłać fakturę za marzec?'],
    ['Factuur', 'Goedemorgen, kunt u ons de factuur van maart sturen?'],
    ['Fatura', 'Bom dia, poderia enviar a nota fiscal de março?'],
  ])('%s: %s', (subject, text) => {
    expect(sorted(mail(subject, text))).toMatchObject({
      ...{ kind: 'task', domain: 'accounting', priority: 'normal' },
      classified: { by: 'rule', rule: 'asks-for-invoice' },
    })
  })

  test.each([
    ['Invoice number 7', 'Could you send it again, please?'],
    ['Invoice', 'Please find attached our invoice for March.'],
    ['Invoice', 'We will send you the invoice tomorrow, please wait.'],
    ['Invoice 12', 'Could you please send the payment for invoice 12?'],
    ['Hello', 'On the invoice you sent there is a typo, nothing else.'],
    ['Rechnung', 'Anbei schicken wir Ihnen die Rechnung, bitte prüfen Sie sie.'],
    ['Rechnung', 'Wir bitten um Begleichung der Rechnung, könnten Sie das stellen?'],
    ['Facture', 'Veuillez trouver ci-joint la facture, merci de l’envoyer au service.'],
    ['Re: your question', 'Thanks!\n\nOn Monday Olivia wrote:\n> Could you send me the invoice, please?'],
    ['Re: x', 'Danke.\n\nAm 12.11.2026 schrieb Clara Client:\nKönnten Sie mir bitte die Rechnung schicken?'],
  ])('not when it is told or quoted: %s: %s', (subject, text) => {
    expect(sorted(mail(subject, text))).toMatchObject({ kind: 'task', domain: 'email', classified: { by: 'default' } })
  })
})

describe('somebody wants to be paid', () => {
  test.each([
    ['Invoice 2026-118', `Amount due: 450.00 EUR by 15 December.\nIBAN: ${IBAN}`],
    ['Bill', 'Please pay $1,200.00 within 14 days. Account number: 123456789, routing number 021000021'],
    ['Rechnung 118', `Bitte überweisen Sie 450,00 € bis zum 15.12. auf das Konto ${IBAN}.`],
    ['Zahlungserinnerung', `Der Rechnungsbetrag von 99,90 EUR ist seit 14 Tagen offen. IBAN ${IBAN}`],
    ['Facture', `Merci de régler 300 € avant le 15. IBAN ${IBAN}`],
    ['Facture', `Reste à régler : 300 €. IBAN ${IBAN}`],
    ['Factura 9', `Importe a pagar: 120,00 EUR. IBAN: ${IBAN}`],
    ['Fattura 9', `Importo dovuto: 120,00 EUR. Bonifico su IBAN ${IBAN}`],
    ['Faktura 9', `Do zapłaty: 500 PLN, termin płatności 14 dni, rachunek ${IBAN}`],
    ['Factuur', `Gelieve te betalen: 80 EUR op ${IBAN}`],
  ])('%s: %s', (subject, text) => {
    expect(sorted(mail(subject, text))).toMatchObject({
      ...{ kind: 'task', domain: 'payment', classified: { by: 'rule', rule: 'bill' } },
    })
  })

  test('also by a machine, which nobody would answer', () => {
    const headers = { 'auto-submitted': 'auto-generated', 'list-unsubscribe': '<mailto:x@y.example>' }
    const bill = mail('Your bill', `Amount due: 45 EUR. IBAN ${IBAN}`, { from: 'no-reply@power.example', headers })
    expect(sorted(bill)).toMatchObject({ domain: 'payment' })
    expect(sorted(mail('Your bill', 'Your bill is ready', { headers }))).toMatchObject({ kind: 'skip' })
  })

  test.each([
    ['an account alone', `For refunds, please note our account ${IBAN}. Please pay attention.`],
    ['an amount alone', 'The amount due is 450 EUR, shall I pay it to you in cash?'],
    ['what was paid', `We have paid 450 EUR to ${IBAN}; the amount due was right.`],
    ['was bezahlt ist', `Wir haben den Rechnungsbetrag von 450 EUR heute an ${IBAN} überwiesen.`],
    ['a request for an invoice beside it', `Please send us an invoice over 450 EUR. Payment due to ${IBAN}.`],
  ])('but not of %s', (_what, text) => {
    expect(sorted(mail('Hello', text))).not.toMatchObject({ domain: 'payment' })
  })

  test('nothing else comes of a reply by a machine, of our own mail or of a report', () => {
    const text = `Amount due: 45 EUR. IBAN ${IBAN}`
    for (const changes of [
      { headers: { 'auto-submitted': 'auto-replied' } },
      { headers: { 'x-autoreply': 'yes' } },
      { headers: { 'return-path': '<>' } },
      { from: 'owner@x.example' },
    ])
      expect(sorted(mail('Bill', text, changes), withRules('- "bill": email'))).toMatchObject({ kind: 'skip' })
  })
})

describe('the owner’s rules', () => {
  test('come first, and are named', () => {
    const request = mail('Invoice for March', 'Please send me the invoice.', { from: 'anna@client.example' })
    expect(sorted(request, withRules('- from @client.example: email'))).toMatchObject({
      ...{ domain: 'email', classified: { by: 'handbook', rule: 'line-2' } },
    })
    expect(sorted(request, withRules('- "invoice": skip', '- from @client.example: email'))).toEqual({
      ...{ kind: 'skip', reason: 'handbook', classified: { by: 'handbook', rule: 'line-2' } },
    })
  })

  test('let in what looks like bulk mail, at a low priority', () => {
    const news = mail('News', 'x', { headers: { 'list-id': '<n.example>' } })
    expect(sorted(news)).toEqual({
      ...{ kind: 'skip', reason: 'mailing-list', classified: { by: 'rule', rule: 'mailing-list' } },
    })
    expect(sorted(news, withRules('- from other.example: social'))).toMatchObject({ domain: 'social', priority: 'low' })
  })

  test('a priority alone leaves the domain to the others', () => {
    expect(sorted(mail('x', 'Please send me an invoice'), withRules('- from other.example: urgent'))).toMatchObject({
      domain: 'accounting',
      priority: 'urgent',
      classified: { by: 'rule' },
    })
  })
})

describe('priority', () => {
  test.each([
    ['normal', mail('URGENT!!! ASAP', 'Answer immediately!!!')],
    ['normal', mail('x', 'y', { headers: { importance: 'High', 'x-priority': '1 (Highest)' } })],
    ['high', mail('URGENT', 'please', { from: 'anna@client.example' })],
    ['high', mail('dringend', 'bitte', { from: 'x@mail.partner.example' })],
    ['high', mail('x', 'y', { from: 'anna@client.example', headers: { importance: 'high' } })],
    ['high', mail('Offer', 'We need it by tomorrow.')],
    ['high', mail('Angebot', 'Bitte bis heute Abend.')],
    ['high', mail('Devis', 'Il nous le faut avant demain.')],
    ['low', mail('Note', 'FYI, no reply needed.')],
    ['normal', mail('Hello', 'How are you?')],
  ])('%s', (priority, one) => {
    expect(sorted(one)).toMatchObject({ priority })
  })
})

describe('what a model is asked', () => {
  test.each([
    ['money without certainty', mail('Invoice', 'There is a question about it'), true],
    ['marks of bulk mail', mail('News', 'To unsubscribe, click here'), true],
    ['a language without rules', mail('Hei', 'Hei, voitteko lähettää meille laskun? Kiitos, se on kiireinen'), true],
    ['a plain mail', mail('Meeting', 'Shall we meet on Thursday?'), false],
    ['what a rule decided', mail('Invoice', 'Please send me the invoice'), false],
    ['what the owner decided', mail('Invoice', 'x', { from: 'a@client.example' }), false],
  ])('%s: %s', (_what, one, isAsked) => {
    const { doubt } = classifyMail(one, withRules('- from @client.example: email'))
    expect(doubt !== undefined).toBe(isAsked)
  })

  const doubtOf = (one: IncomingMail) => {
    const { doubt } = classifyMail(one, FACTS)
    if (!doubt) throw new Error('no doubt')
    return doubt
  }
  test('it may choose a domain, and a priority only where nothing else did', () => {
    const doubt = doubtOf(mail('Invoice', 'A question about it'))
    expect(withVerdict(doubt, { domain: 'payment', priority: 'high' })).toMatchObject({
      ...{ domain: 'payment', priority: 'high', classified: { by: 'model', rule: 'payment' } },
    })
    const dated = doubtOf(mail('Invoice', 'A question, by tomorrow'))
    expect(withVerdict(dated, { domain: 'email', priority: 'low' })).toMatchObject({ priority: 'high' })
  })

  test('it skips only what has the marks of bulk mail', () => {
    const bulk = { domain: 'bulk', priority: 'low' } as const
    expect(withVerdict(doubtOf(mail('News', 'unsubscribe here')), bulk)).toMatchObject({
      ...{ kind: 'skip', reason: 'newsletter', classified: { by: 'model' } },
    })
    expect(withVerdict(doubtOf(mail('Invoice', 'A question about it')), bulk)).toMatchObject({
      ...{ kind: 'task', domain: 'email', classified: { rule: 'bulk-without-its-marks' } },
    })
  })
})

test('the language is that of the mail’s own words', () => {
  const text =
    'Gerne, wir sind dabei und freuen uns auf Sie.\n\nOn Monday Ann wrote:\nWill you be there with us? We would like to know it.'
  expect(sorted(mail('Re: party', text))).toMatchObject({ language: 'de' })
  expect(sorted(mail('x', '12'))).toMatchObject({ language: undefined })
})

test('own words end where a quote begins', () => {
  expect(ownWords('yes\n> no\nOn Mon, 1 Nov 2026, Ann <a@x.example> wrote:\nold')).toBe('yes')
  expect(ownWords('-----Original Message-----\nall of it')).toContain('all of it')
})

test('never throws, whatever a mail holds, and always decides', () => {
  const words = fc.constantFrom(
    'please send ',
    'invoice ',
    'pay ',
    IBAN,
    ' 450 EUR ',
    'unsubscribe',
    '\n\n',
    '. ',
    '> ',
    'Rechnung ',
    'à régler ',
  )
  const text = fc.array(fc.oneof(words, fc.string({ unit: 'binary', maxLength: 20 })), { maxLength: 40 })
  fc.assert(
    fc.property(text, text, fc.string({ maxLength: 30 }), (subject, body, from) => {
      const one = mail(subject.join(''), body.join(''), { from })
      const { classification } = classifyMail(one, withRules('- "x": skip', '- from a.example: high'))
      expect(['task', 'skip']).toContain(classification.kind)
    }),
    { numRuns: 60 },
  )
})

test('a long mail costs little', () => {
  for (const hostile of [
    'please send invoice '.repeat(20_000),
    'a'.repeat(400_000),
    '-'.repeat(400_000),
    'habe '.repeat(80_000),
  ]) {
    const began = process.cpuUsage()
    signsOf({ subject: hostile.slice(0, 998), text: hostile })
    const { user } = process.cpuUsage(began)
    expect(user / 1000).toBeLessThan(2_000)
  }
})

test('however many rules there are, a long mail is looked through once, and no further than its beginning', () => {
  const normalize = vi.spyOn(String.prototype, 'normalize')
  onTestFinished(() => normalize.mockRestore())
  const rules = Array.from({ length: 50 }, (_, at) => `- "word ${at}" in the text: skip`)
  const facts = withRules(...rules, '- "at the end": skip')
  normalize.mockClear()
  // Each of these letters is eighteen to a reader.
  expect(sorted(mail('x', `${'\ufdfa'.repeat(400_000)} at the end`), facts)).toMatchObject({ kind: 'task' })
  const ofRules = normalize.mock.contexts.filter((_text, at) => normalize.mock.calls[at]?.[0] === 'NFKD')
  const looked = ofRules.reduce<number>((sum, text) => sum + String(text).length, 0)
  expect(looked).toBeLessThan(150_000)
})
