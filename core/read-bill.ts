import { type Amount, findAmounts, MAX_CENTS, placedAmounts, sayAmount } from './amounts.ts'
import { findIbans, isIban, shownIban } from './iban.ts'
import { digitsOf, isCurrency, isoDay } from './invoice.ts'
import { MAX_PAYEE_CHARS, MAX_REFERENCE_CHARS } from './payment-action.ts'
import { asSepaText, creditorReferenceFault, plainCreditorReference } from './sepa-text.ts'

/** What a bill says about how it is to be paid, as a payment has it. A field that is not said, or said twice, is absent. */
export interface BillFields {
  readonly payee?: string
  readonly iban?: string
  readonly bic?: string
  readonly amount?: string
  readonly currency?: string
  readonly reference?: string
  readonly creditor_reference?: string
  readonly due?: string
}

export interface BillData {
  readonly fields: BillFields
  /** What is not said clearly, in words for the person, with everything there is to choose from. */
  readonly open: readonly string[]
}

const MAX_TEXT = 100_000
const MAX_NAMED = 6
/** Words in white, as the reader of HTML labels them: no reader of the mail saw them. */
const IN_WHITE = /\[in white: [^\]]{0,2000}\]?/g
const TO_PAY =
  /(?:amount|balance|total|sum)\s+(?:now\s+)?(?:due|payable|outstanding)|(?:please\s+pay|to\s+pay|pay\s+us|payable\s+amount)|zahlbetrag|zu\s+zahlen|offener\s+betrag|(?:net\s+|montant\s+|reste\s+)[àa]\s+payer|te\s+betalen|importe\s+a\s+pagar|totale\s+da\s+pagare|do\s+zap[łl]aty/i
const TOTAL =
  /\b(?:grand\s+)?total\b|invoice\s+amount|gesamtbetrag|rechnungsbetrag|endbetrag|gesamtsumme|total\s+ttc|totaal|totale|importe\s+total|razem/i
const PART =
  /sub-?total|zwischensumme|\bnet(?:to|\s+total)?\b(?!\s+[àa]\s+payer)|\b(?:vat|tax|ust|mwst|tva|iva|btw)\b|discount|rabatt|skonto/i
const PAYEE =
  /^\W*(?:payee|beneficiary(?: name)?|account\s+(?:holder|name)|in favou?r of|kontoinhaber(?:in)?|(?:zahlungs)?empf[äa]nger(?:in)?|b[ée]n[ée]ficiaire|titulaire(?: du compte)?|begunstigde|ten name van|beneficiario|intestatario|titular)\s*:\s*(\S.{1,100})$/iu
const REFERENCE =
  /^\W*(?:payment\s+reference|reference|your\s+reference|remittance(?: information)?|verwendungszweck|zahlungsreferenz|referenz|communication|r[ée]f[ée]rence|mededeling|kenmerk|causale|concepto|tytu[łl]em)\s*:\s*(\S.{0,200})$/iu
const NUMBER =
  /\b(?:invoice|bill|rechnung(?:s)?|facture|factura|fattura|factuur|faktura)(?:[ -]?(?:no|nr|number|nummer|num[ée]ro|n°|#))?\b[.:#\s]{0,3}((?=[A-Z0-9/._-]*\d)[A-Z0-9][A-Z0-9/._-]{1,34})/giu
const DUE =
  /\b(?:due(?:\s+(?:date|on|by))?|payable\s+(?:by|until)|pay(?:\s+it)?\s+(?:by|before|until)|zahlbar\s+bis|f[äa]llig(?:\s+am)?|[ée]ch[ée]ance|vervaldatum|scadenza|vencimiento|termin\s+p[łl]atno[śs]ci)\b(?:\s+(?:zum|am|le|il|el|on|by|is))?\s*[:\s]\s{0,3}(?=(.{6,24}))/giu
/** Groups of three, all with the same sign between them, and at most two digits after the point. */
const WELL_FORMED = /^(?:\d+|\d{1,3}(?:([.,'’ ])\d{3})(?:\1\d{3})*)(?:[.,]\d{1,2})?$/
const BIC = /\b(?:BIC|SWIFT)(?:[ /-]?(?:code|BIC))?\s*:?\s*([A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)\b/g
const RF = /\bRF\d{2}(?: ?[A-Z0-9]{1,4}){1,6}/g
const OGM = /([+*]{3})\d{3}\/\d{4}\/\d{5}\1/g
const MONTHS =
  'jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|m[äa]rz|apr(?:il)?|may|mai|june?|juni|july?|juli|aug(?:ust)?|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?'
const MONTH_STARTS = ['jan', 'feb', 'mar', 'apr', 'ma', 'jun', 'jul', 'aug', 'sep', 'o', 'nov', 'de']

/**
 * Reads how a bill is to be paid, word for word: nothing is made up, and what could be read in two ways is left open. The
 * owner's own `notes` go before what the bill says. Words in white count for nothing. Never throws.
 */
export function readBill(bill: string, notes = ''): BillData {
  const visible = bill.slice(0, MAX_TEXT).replace(IN_WHITE, ' ')
  const own = readText(notes.slice(0, MAX_TEXT))
  const said = readText(visible)
  const hidden = (bill.slice(0, MAX_TEXT).match(IN_WHITE) ?? []).join(' ')
  const open: string[] = []
  const one = <T>(name: string, key: (found: Found) => readonly T[], say: (value: T) => string): T | undefined => {
    const values = [own, said].map((found) => [...new Map(key(found).map((each) => [say(each), each])).values()])
    const [first, ...more] = values.find((each) => each.length > 0) ?? []
    if (first !== undefined && more.length === 0) return first
    const named = [...(first === undefined ? [] : [first]), ...more].slice(0, MAX_NAMED).map(say)
    if (name !== '') open.push(named.length === 0 ? name : `${name} (named are ${named.join(' and ')}: choose one)`)
    return undefined
  }
  const text = (value: string) => value
  const payee = one('the payee', ({ payees }) => payees, text)
  const iban = one('the account (IBAN)', ({ ibans }) => ibans, shownIban)
  const sum = one('the amount', ({ amounts }) => amounts, sayAmount)
  const structured = one('', ({ structured }) => structured, text)
  const reference = structured === undefined ? one('', ({ references }) => references, text) : undefined
  const due = one('', ({ days }) => days, text)
  const bic = one('', ({ bics }) => bics, text)
  if (own.ibans.length === 0 && said.broken.length > 0 && iban === undefined)
    open.push(`an account number whose check digits are wrong: ${said.broken.slice(0, 2).map(shownIban).join(', ')}`)
  if (findIbans(hidden).valid.length > 0)
    open.push('the mail holds an account number in white letters, which was not read')
  const fields = {
    ...{ payee, iban, bic, reference, creditor_reference: structured, due },
    ...(sum && { amount: decimalFrom(sum), currency: sum.currency }),
  }
  const known = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as BillFields
  return { fields: known, open }
}

interface Found {
  readonly payees: readonly string[]
  readonly ibans: readonly string[]
  readonly broken: readonly string[]
  readonly bics: readonly string[]
  readonly amounts: readonly Amount[]
  readonly references: readonly string[]
  readonly structured: readonly string[]
  readonly days: readonly string[]
}

function readText(text: string): Found {
  const flat = text.normalize('NFKC')
  const lines = flat.split('\n').map((line) => line.replace(/^[\s>|*]+/, '').trim())
  const code = readCode(lines)
  const inCode = code.flatMap(({ amount }) => amount ?? [])
  const { valid, broken } = findIbans(flat)
  const labelled = (label: RegExp) => lines.flatMap((line) => label.exec(line)?.[1]?.trim() ?? [])
  const payees = labelled(PAYEE)
    .map(asSepaText)
    .filter((name) => name !== '' && name.length <= MAX_PAYEE_CHARS)
  const named = labelled(REFERENCE).map((words) => asSepaText(words))
  const numbers = [...flat.matchAll(NUMBER)].map(([, number = '']) => asSepaText(number.replace(/[.\-_/]+$/, '')))
  const references = (named.length > 0 ? named : numbers).filter(
    (one) => one !== '' && one.length <= MAX_REFERENCE_CHARS,
  )
  const structured = [...flat.matchAll(RF), ...flat.matchAll(OGM)].flatMap(([written]) => structuredIn(written))
  return {
    payees: [...payees, ...code.map(({ payee }) => payee)],
    ibans: [...valid, ...code.map(({ iban }) => iban)],
    broken,
    bics: [...flat.matchAll(BIC)].map(([, bic = '']) => bic),
    amounts: inCode.length > 0 ? [...inCode, ...clearOnly(labelledAmounts(lines))] : amountsIn(lines),
    references: [...references, ...code.flatMap(({ reference }) => reference ?? [])],
    structured: [...structured, ...code.flatMap(({ structured }) => structured ?? [])],
    days: [...flat.matchAll(DUE)].flatMap(([, words = '']) => dayOf(words) ?? []),
  }
}

interface PaymentCode {
  readonly payee: string
  readonly iban: string
  readonly amount: Amount | undefined
  readonly structured: string | undefined
  readonly reference: string | undefined
}

/** The text of a QR code for payments (EPC 069-12), where somebody wrote it out. */
function readCode(lines: readonly string[]): PaymentCode[] {
  return lines.flatMap((line, at) => {
    if (line !== 'BCD' || !/^00[12]$/.test(lines[at + 1] ?? '') || lines[at + 3] !== 'SCT') return []
    const [, name = '', account = '', sum = '', , structured = '', words = ''] = lines.slice(at + 4, at + 11)
    const iban = account.replace(/ /g, '').toUpperCase()
    const payee = asSepaText(name)
    if (!isIban(iban) || payee === '') return []
    const amount = /^EUR\d{1,9}(?:\.\d{1,2})?$/.test(sum) ? findAmounts(sum.replace('EUR', 'EUR '))[0] : undefined
    const reference = asSepaText(words)
    return { payee, iban, amount, structured: structuredIn(structured)[0], reference: reference || undefined }
  })
}

/** What is to be paid goes before a total, and a total before the only amount there is. */
function amountsIn(lines: readonly string[]): readonly Amount[] {
  const labelled = labelledAmounts(lines)
  return clearOnly(labelled.length > 0 ? labelled : lines.flatMap(amountsOf))
}

/** On the lines that say what is to be paid, or else what the total is. */
function labelledAmounts(lines: readonly string[]): readonly (Amount | undefined)[] {
  const on = (label: RegExp) =>
    lines.flatMap((line, at) => {
      const begin = label.exec(line)
      if (!begin || PART.test(line)) return []
      const after = amountsOf(line.slice(begin.index))
      // A table that lost its columns: the figure stands on the next line.
      return after.length > 0
        ? after
        : amountsOf(/^[\d\s.,'€$£A-Z]{1,40}$/.test(lines[at + 1] ?? '') ? (lines[at + 1] ?? '') : '')
    })
  return [on(TO_PAY), on(TOTAL)].find((found) => found.length > 0) ?? []
}

/** The amounts of a line; undefined for one that may be another: less than nothing, of another dollar, two numbers in a row. */
function amountsOf(line: string): (Amount | undefined)[] {
  return placedAmounts(line).flatMap(({ amount, written, at }) => {
    if (amount.cents === 0 || amount.cents >= MAX_CENTS || !isCurrency(amount.currency)) return []
    const isOther = /[-−]$|\p{L}$/u.test(line.slice(0, at))
    return isOther || !WELL_FORMED.test(written.replace(/^\D+|\D+$/g, '')) ? [undefined] : [amount]
  })
}

/** None of them where one is not clear: another line would be a guess. */
function clearOnly(amounts: readonly (Amount | undefined)[]): readonly Amount[] {
  return amounts.includes(undefined) ? [] : amounts.filter((one) => one !== undefined)
}

function structuredIn(written: string): string[] {
  const words = written.trim().split(' ')
  // `RF18 5390 0754 7034 Thank you`: as many groups as make a right one.
  for (let count = words.length; count > 0; count--) {
    const reference = plainCreditorReference(words.slice(0, count).join(' '))
    if (reference !== '' && creditorReferenceFault(reference) === undefined) return [reference]
  }
  return []
}

/** `2026-12-01` of a day that can be read in one way only. */
function dayOf(words: string): string | undefined {
  const iso = /^(\d{4})-(\d{2})-(\d{2})/.exec(words)
  if (iso) return real(iso[1], iso[2], iso[3])
  const dotted = /^(\d{1,2})\. ?(\d{1,2})\. ?(\d{4})/.exec(words)
  if (dotted) return real(dotted[3], dotted[2], dotted[1])
  const slashed = /^(\d{1,2})[/-](\d{1,2})[/-](\d{4})/.exec(words)
  if (slashed) {
    const [, a = '', b = '', year] = slashed
    if (a === b || Number(b) > 12) return real(year, a, b)
    return Number(a) > 12 ? real(year, b, a) : undefined
  }
  const named = new RegExp(`^(\\d{1,2})(?:st|nd|rd|th|\\.)? (?:of )?(${MONTHS})\\.?,? (\\d{4})`, 'i').exec(words)
  if (named) return real(named[3], monthOf(named[2]), named[1])
  const american = new RegExp(`^(${MONTHS})\\.? (\\d{1,2})(?:st|nd|rd|th)?,? (\\d{4})`, 'i').exec(words)
  return american ? real(american[3], monthOf(american[1]), american[2]) : undefined
}

function monthOf(name = ''): string {
  const plain = name.toLowerCase().replace('ä', 'a')
  if (/^ma[iy]/.test(plain)) return '5'
  return String(MONTH_STARTS.findIndex((start) => plain.startsWith(start)) + 1)
}

function real(year = '', month = '', day = ''): string | undefined {
  const text = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  return isoDay.safeParse(text).success ? text : undefined
}

function decimalFrom({ cents, currency }: Amount): string {
  return digitsOf(currency) === 0 && cents % 100 === 0 ? String(cents / 100) : (cents / 100).toFixed(2)
}
