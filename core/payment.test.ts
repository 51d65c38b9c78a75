import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  type ActionLimits,
  actionDigest,
  actionFault,
  actionRows,
  isPrivateTool,
  partsOf,
  readAction,
} from './action.ts'
import { readHandbookRules } from './handbook-rules.ts'
import { isIban } from './iban.ts'
import { orderOf, type PaymentAction, paymentSchema } from './payment-action.ts'
import { type PastPayment, type PaymentRules, paymentRulesFault } from './payment-rules.ts'
import { type Risk, riskFacts, risksOf } from './risk.ts'
import { asSepaText, creditorReferenceFault, plainCreditorReference, sepaFault } from './sepa-text.ts'
import { newTaskFile, renderSection } from './task-file.ts'
import type { Domain } from './vault-path.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const DAY = 86_400_000
const IBAN = 'DE89370400440532013000'
const OTHER = 'GB82WEST12345698765432'
const ACTION: PaymentAction = {
  ...{
    tool: 'payment.pay',
    way: 'sepa-file',
    payee: 'Example Chairs GmbH',
    iban: IBAN,
    amount: '120.5',
    currency: 'EUR',
  },
  ...{ reference: 'INV-2026-0042' },
}
const ID = '01J8Z3W6Q0ABCDEFGHJKMNPQRS'

function taskOf(action: Record<string, unknown>, domain: Domain = 'payment', draft = '') {
  const front = {
    id: ID,
    schema: '1',
    kind: 'PAYMENT',
    domain,
    title: 'Chairs',
    created: '2026-11-20T10:00:00.000Z',
  } as const
  const fields = { tool: 'payment.pay', ...action }
  return newTaskFile({ ...front, generation: '1', action: fields }, renderSection('draft', draft))
}
const read = (changed: Record<string, unknown> = {}, domain?: Domain, draft?: string) =>
  readAction(taskOf({ ...ACTION, ...changed }, domain, draft))
const problem = (changed: Record<string, unknown>) => {
  const verdict = read(changed)
  return verdict.ok ? 'none' : verdict.problem
}

describe('a payment', () => {
  it('is what its front matter says, blanks in numbers aside, and goes to its way with the digits of its currency', () => {
    const verdict = read({
      iban: 'de89 3704 0044 0532 0130 00',
      bic: 'cobadeff xxx',
      due: '2026-12-01',
      execute_on: '2026-11-30',
    })
    if (!verdict.ok || verdict.action.tool !== 'payment.pay') throw new Error(JSON.stringify(verdict))
    expect(orderOf(verdict.action)).toEqual({
      ...{ payee: 'Example Chairs GmbH', iban: IBAN, bic: 'COBADEFFXXX', amount: '120.50', currency: 'EUR' },
      ...{ reference: 'INV-2026-0042', creditorReference: undefined, executeOn: '2026-11-30' },
    })
    expect(paymentSchema.parse(verdict.action)).toEqual(verdict.action)
  })

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['an account whose check digits are wrong', { iban: 'DE88370400440532013000' }, /check digits/],
    ['an account too short for its country', { iban: 'DE8937040044053201300' }, /IBAN/],
    ['no account', { iban: '' }, /missing/],
    ['two accounts in one field', { iban: `${IBAN} ${OTHER}` }, /IBAN/],
    ['an amount with a comma', { amount: '120,50' }, /plain number/],
    ['nothing', { amount: '0.00' }, /nothing to pay/],
    ['a negative amount', { amount: '-1' }, /plain number/],
    ['an amount in powers', { amount: '1e5' }, /plain number/],
    ['three digits of a currency with two', { amount: '1.234' }, /2 digits/],
    ['a digit of a currency with none', { amount: '1.5', currency: 'JPY' }, /0 digits/],
    ['too much for one payment', { amount: '1000000000' }, /too much/],
    ['no currency', { currency: 'eur' }, /currency/],
    ['a payee that banks cannot write', { payee: 'Müller' }, /write “ue”/],
    ['markup in the payee', { payee: 'A <b>' }, /cannot be sent/],
    ['a letter that only looks like another', { payee: 'Ехample' }, /cannot be sent/],
    ['a reference that is too long', { reference: 'x'.repeat(141) }, /longer than the 140/],
    ['a reference that ends with a slash', { reference: 'A/' }, /slash/],
    ['a line break in the reference', { reference: 'A\nB' }, /cannot be sent/],
    [
      'a creditor reference with wrong digits',
      { reference: undefined, creditor_reference: 'RF19539007547034' },
      /check/,
    ],
    ['two references', { creditor_reference: 'RF18539007547034' }, /carries one/],
    ['a day that does not exist', { execute_on: '2026-02-30' }, /no such day/],
    ['a bank code of seven letters', { bic: 'COBADEF' }, /BIC/],
    ['a field nobody knows', { iban2: OTHER }, /nrecognized/],
  ])('is refused with %s', (_what, changed, words) => {
    const fields = Object.fromEntries(
      Object.entries({ ...ACTION, ...changed }).filter(([, value]) => value !== undefined),
    )
    const verdict = readAction(taskOf(fields))
    expect(verdict.ok ? 'accepted' : verdict.problem).toMatch(words)
  })

  it('is none of a task of another domain, which would go to the hub', () => {
    expect(read({}, 'email')).toMatchObject({ ok: false, rule: 'action-domain' })
    expect(read({}, 'accounting')).toMatchObject({ ok: false, rule: 'action-domain' })
    expect([isPrivateTool('payment.pay'), isPrivateTool('email.send_email')]).toEqual([true, false])
    expect(problem({})).toBe('none')
  })

  it('goes by the ways of this machine only', () => {
    const limits: ActionLimits = { account: 'o@x.example', maxRecipients: 1 }
    expect(actionFault(ACTION, limits)?.say).toContain('none is set up')
    expect(actionFault(ACTION, { ...limits, payment: { ways: ['example-bank'] } })?.say).toContain(
      'by example-bank only',
    )
    expect(actionFault(ACTION, { ...limits, payment: { ways: ['sepa-file'] } })).toBeUndefined()
  })

  it('is shown with its account in fours, its country, and what happens', () => {
    const rows = Object.fromEntries(actionRows(ACTION))
    expect(rows.Account).toBe('`DE89 3704 0044 0532 0130 00`, Germany (DE)')
    expect(rows.Amount).toBe('**120.50 EUR**')
    expect(rows.Reference).toBe('`INV-2026-0042`')
    expect(rows['What happens']).toContain('120.50 EUR')
  })

  test('every change of what is paid is another digest', () => {
    const changed: Partial<PaymentAction>[] = [
      ...[
        { payee: 'Example Chairs Gmbh' },
        { iban: OTHER },
        { amount: '120.51' },
        { currency: 'CHF' },
        { way: 'other' },
      ],
      ...[{ reference: 'INV-2026-0043' }, { bic: 'COBADEFFXXX' }, { execute_on: '2026-12-01' }, { again: ID }],
    ]
    const digests = [ACTION, ...changed.map((one) => ({ ...ACTION, ...one }))].map((one) => actionDigest(one))
    expect(new Set(digests).size).toBe(digests.length)
  })
})

describe('the texts of a payment', () => {
  test('whatever is written comes out as banks write it, or as nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const spelled = asSepaText(text)
        expect(sepaFault(spelled)).toBeUndefined()
        expect(asSepaText(spelled)).toBe(spelled)
      }),
    )
    expect(asSepaText('Müller & Söhne, Łódź – Straße')).toBe('Mueller + Soehne, Lodz - Strasse')
  })

  test('a reference of which one digit is changed, or two are exchanged, is none', () => {
    expect(creditorReferenceFault('RF18539007547034')).toBeUndefined()
    expect(plainCreditorReference('+++090/9337/55493+++')).toBe('090933755493')
    expect(creditorReferenceFault('090933755493')).toBeUndefined()
    for (const good of ['RF18539007547034', '090933755493'])
      for (let at = good.startsWith('RF') ? 2 : 0; at < good.length; at++)
        for (const digit of '0123456789')
          if (digit !== good[at])
            expect(
              creditorReferenceFault(good.slice(0, at) + digit + good.slice(at + 1)),
              `${good} ${at}`,
            ).toBeDefined()
  })

  test('an account of which one digit is changed is none', () => {
    expect(isIban(IBAN)).toBe(true)
    for (let at = 2; at < IBAN.length; at++)
      for (const digit of '0123456789')
        if (digit !== IBAN[at]) expect(isIban(IBAN.slice(0, at) + digit + IBAN.slice(at + 1))).toBe(false)
    expect(isIban(`${IBAN}0`)).toBe(false)
  })
})

function rulesOf(...lines: string[]): PaymentRules & { problems: readonly unknown[] } {
  const { payments, problems } = readHandbookRules(['## Rules', '', ...lines.map((line) => `- ${line}`)].join('\n'))
  return { ...payments, problems }
}
let counter = 0
function paid(changed: Partial<PaymentAction> = {}, daysAgo = 1, isSure = true): PastPayment {
  const taskId = `01J8Z3W6Q0ABCDEFGHJKMNP${String(++counter).padStart(3, '0')}`
  return { taskId, at: NOW - daysAgo * DAY, isSure, action: { ...ACTION, ...changed } }
}
const judge = (action: PaymentAction, past: PastPayment[], rules: PaymentRules = rulesOf()) =>
  paymentRulesFault(action, { rules, past, taskId: ID, now: NOW })

describe('limits of the handbook', () => {
  const another = { reference: 'Another', payee: 'Another', iban: OTHER }
  it.each<[string, string, PastPayment[], boolean]>([
    ['At most 120.50 EUR per payment', 'exactly the limit', [], true],
    ['At most 120.49 EUR per payment', 'a cent over it', [], false],
    ['At most 1.000,00 € per day', 'together exactly the limit', [paid({ ...another, amount: '879.50' }, 0.5)], true],
    ['At most 1,000 EUR per day', 'together a cent over it', [paid({ ...another, amount: '879.51' }, 0.5)], false],
    ['At most 1,000 EUR per day', 'the other one was the day before', [paid({ ...another, amount: '900' }, 1)], true],
    ['At most 1000 EUR a week', 'within the week', [paid({ ...another, amount: '900' }, 6)], false],
    [
      'At most 1000 EUR per month',
      'the outcome of the other one is not known',
      [paid({ ...another, amount: '900' }, 20, false)],
      false,
    ],
    [
      'At most 200 EUR per payee and day',
      'another payee got the rest',
      [paid({ ...another, amount: '190' }, 0.5)],
      true,
    ],
    [
      'At most 200 EUR per payee and day',
      'the same payee got it',
      [paid({ amount: '100', reference: 'x' }, 0.5)],
      false,
    ],
    [`At most 150 EUR to ${IBAN} per month`, 'this account got it', [paid({ amount: '40', reference: 'x' }, 9)], false],
    [`At most 10 EUR to ${OTHER} per month`, 'it is the limit of another account', [], true],
    ['At most 5000 USD per payment', 'the handbook limits another currency only', [], false],
    [
      'At most 5000 USD per day',
      'dollars count no euro',
      [paid({ ...another, currency: 'USD', amount: '1' }, 0.5)],
      false,
    ],
  ])('%s: %s', (line, _what, past, isAllowed) => {
    const rules = rulesOf(line)
    expect(rules.problems).toEqual([])
    expect(judge(ACTION, past, rules)?.rule).toBe(isAllowed ? undefined : 'payment-limit')
  })

  it('are told when they are not understood', () => {
    for (const line of [
      'At most 500 EUR',
      'At most 500 EUR per moon',
      'At most 0 EUR per payment',
      'Duplicate payments: never',
    ])
      expect(rulesOf(line).problems, line).toHaveLength(1)
    expect(rulesOf('At most 20 payments per day', 'At most 3 posts per day').problems).toEqual([])
  })

  it('stop every payment while a line that may be one is not understood', () => {
    for (const line of [
      'At most 500 EUR per moon',
      'Never pay more than 500 EUR a day',
      'Max 500 per payment',
      'No transfers over 500 EUR',
    ])
      expect(judge(ACTION, [], rulesOf('At most 900 EUR per day', line)), line).toMatchObject({
        ...{ rule: 'payment-rule-unread', say: expect.stringContaining(`line 4, “`) },
      })
    const other = rulesOf('Always be friendly', 'At most 7 recipients per moon', 'Duplicate payments: never')
    expect([judge(ACTION, [], other), other.problems]).toEqual([undefined, expect.any(Array)])
  })

  test('however many payments are allowed one after the other, never more than the limit goes out in its time', () => {
    const amount = fc
      .integer({ min: 1, max: 60_000 })
      .map((cents) => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`)
    fc.assert(
      fc.property(
        fc.array(fc.record({ amount, hours: fc.integer({ min: 0, max: 30 }) }), { maxLength: 12 }),
        (asked) => {
          const rules = rulesOf('At most 500 EUR per day')
          const past: PastPayment[] = []
          let now = NOW
          for (const [index, one] of asked.entries()) {
            now += one.hours * 3_600_000
            const action = { ...ACTION, amount: one.amount, reference: `No ${index}` }
            if (paymentRulesFault(action, { rules, past, taskId: ID, now })) continue
            past.push({ taskId: `T${index}`, at: now, isSure: index % 2 === 0, action })
            const cents = past
              .filter(({ at }) => at > now - DAY)
              .reduce((sum, each) => sum + Math.round(Number(each.action.amount) * 100), 0)
            expect(cents).toBeLessThanOrEqual(50_000)
          }
        },
      ),
    )
  })
})

describe('the same payment again', () => {
  it.each<[string, Partial<PaymentAction>, boolean]>([
    ['by another way', { way: 'example-bank' }, true],
    ['with the amount written otherwise', { amount: '120.50' }, true],
    ['with the reference written otherwise', { reference: 'inv 2026/0042' }, true],
    ['without a reference', { reference: undefined }, true],
    ['to the same name at another account', { iban: OTHER }, true],
    ['to the same account by another name', { payee: 'Example Chairs' }, true],
    ['with another reference', { reference: 'INV-2026-0043' }, false],
    ['with a reference that says more', { reference: 'INV-2026-0042, customer 5' }, true],
    ['with a reference that says less', { reference: 'INV 2026' }, true],
    ['with another number after it', { reference: 'INV-2026-0042 5' }, true],
    ['with a number that only begins alike', { reference: 'INV-2026-00421' }, false],
    ['by its creditor reference', { reference: undefined, creditor_reference: 'RF18539007547034' }, true],
    ['with another amount', { amount: '120.51' }, false],
    ['in another currency', { currency: 'CHF' }, false],
    ['to another name at another account', { payee: 'Example Tables', iban: OTHER }, false],
  ])('%s', (_what, changed, isSame) => {
    expect(judge(ACTION, [paid(changed)])?.rule).toBe(isSame ? 'payment-duplicate' : undefined)
  })

  it('is any payment of the same bill in Odoo, which is open there until the first is recorded', () => {
    const [bill, other] = [
      { ...ACTION, invoice: '42' },
      { invoice: '42', amount: '60', reference: 'Part' },
    ]
    expect(judge(bill, [paid(other)])?.say).toContain('The bill 42 was paid')
    expect(judge(bill, [paid({ ...other, invoice: '43' })])).toBeUndefined()
    const first = paid(other)
    expect(judge({ ...bill, again: first.taskId }, [first])).toBeUndefined()
  })

  it('counts for as long as the handbook says, and while nobody knows whether the first was done', () => {
    expect(judge(ACTION, [paid({}, 89.9)])?.say).toContain('was paid on 2026-08-22')
    expect(judge(ACTION, [paid({}, 90.1)])).toBeUndefined()
    expect(judge(ACTION, [paid({}, 40)], rulesOf('Duplicate payments: 30 days'))).toBeUndefined()
    expect(judge(ACTION, [paid({}, 1, false)])?.say).toContain('may have been paid')
  })

  it('needs a decision for each: the word for an older one does not count for a newer one', () => {
    const first = paid({}, 10)
    const second = paid({}, 2)
    const again = { ...ACTION, again: first.taskId }
    expect(judge(again, [first])).toBeUndefined()
    expect(judge(again, [first, second])?.rule).toBe('payment-duplicate')
    expect(judge({ ...again, again: second.taskId }, [first, second])).toBeUndefined()
    expect(Object.fromEntries(actionRows(again))['Paid before']).toContain('on purpose')
  })
})

describe('the risks of a payment', () => {
  const flags = (past: PastPayment[], handbook = '', action = ACTION, domain: Domain = 'payment') => {
    const facts = riskFacts(readHandbookRules(handbook), ['o@x.example'], [], past)
    return risksOf(taskOf({ ...action }, domain), partsOf(action), facts)
  }
  const high = (risks: Risk[]) => risks.filter(({ level }) => level === 'high').map(({ flag }) => flag)

  it('always need the typed code, whatever the domain or the handbook say', () => {
    const handbook = `## Payees\n\n- ${IBAN}\n\n## Rules\n\n- At most 500 EUR per payment\n`
    expect(high(flags([paid()], handbook))).toEqual(['payment'])
    expect(high(flags([paid()], handbook, ACTION, 'email'))).toContain('payment')
  })

  it('say that an account is new, and which one was used until now', () => {
    expect(high(flags([]))).toContain('payee-new')
    expect(high(flags([paid()]))).not.toContain('payee-new')
    expect(high(flags([paid({}, 1, false)]))).toContain('payee-new')
    const changed = flags([paid({ iban: OTHER, payee: 'EXAMPLE CHAIRS GmbH' })])
    expect(high(changed)).toEqual(expect.arrayContaining(['payee-new', 'payee-other-account']))
    expect(changed.map(({ say }) => say).join(' ')).toContain('GB82 WEST 1234 5698 7654 32, last on 2026-11-19')
    expect(high(flags([paid({ payee: 'Somebody Else' })]))).toContain('payee-other-name')
  })
})
