import type { PaymentOrder } from '#core/ports/payment.ts'
import { sepaFault } from '#core/sepa-text.ts'

/** Which layout the bank takes; the newer is today's, the older that of before 2019. */
export const PAIN_FORMATS = ['pain.001.001.09', 'pain.001.001.03'] as const
export type PainFormat = (typeof PAIN_FORMATS)[number]

/** Whose account pays. */
export interface Debtor {
  readonly name: string
  readonly iban: string
  readonly bic: string | undefined
}

export interface PainFile {
  readonly format: PainFormat
  readonly debtor: Debtor
  readonly order: PaymentOrder
  /**
   * The same for every file of one approval: the message, its payment and its end-to-end id are named so, and a bank that
   * gets the same message twice refuses the second. At most 35 characters.
   */
  readonly key: string
  /** When the file was made, ms. */
  readonly at: number
  /** The day of execution where the order names none, `2026-12-01`. */
  readonly today: string
}

/** What a SEPA customer-to-bank message may hold as text (EPC 132-08); no sign of it needs an escape in XML. */
function text(value: string): string {
  if (sepaFault(value) !== undefined) throw new RangeError('not a text of a SEPA payment')
  return value
}

/** One credit transfer as an ISO 20022 message: exactly the order, and nothing that the bank would have to guess. */
export function renderPain001({ format, debtor, order, key, at, today }: PainFile): string {
  const isNew = format === 'pain.001.001.09'
  const bic = isNew ? 'BICFI' : 'BIC'
  const day = order.executeOn ?? today
  const sum = [tag('NbOfTxs', '1'), tag('CtrlSum', order.amount)]
  const bank = (code: string) => tag('FinInstnId', tag(bic, code))
  const noBank = tag('FinInstnId', tag('Othr', tag('Id', 'NOTPROVIDED')))
  const account = (iban: string) => tag('Id', tag('IBAN', iban))
  const transfer = tag(
    'CdtTrfTxInf',
    tag('PmtId', tag('EndToEndId', text(key))),
    tag('Amt', `<InstdAmt Ccy="EUR">${order.amount}</InstdAmt>`),
    ...(order.bic === undefined ? [] : [tag('CdtrAgt', bank(order.bic))]),
    tag('Cdtr', tag('Nm', text(order.payee))),
    tag('CdtrAcct', account(order.iban)),
    ...remittance(order),
  )
  const payment = tag(
    'PmtInf',
    ...[tag('PmtInfId', text(key)), tag('PmtMtd', 'TRF'), ...sum, tag('PmtTpInf', tag('SvcLvl', tag('Cd', 'SEPA')))],
    tag('ReqdExctnDt', isNew ? tag('Dt', day) : day),
    ...[tag('Dbtr', tag('Nm', text(debtor.name))), tag('DbtrAcct', account(debtor.iban))],
    tag('DbtrAgt', debtor.bic === undefined ? noBank : bank(debtor.bic)),
    ...[tag('ChrgBr', 'SLEV'), transfer],
  )
  const made = new Date(at).toISOString().slice(0, 19)
  const header = tag(
    'GrpHdr',
    ...[tag('MsgId', text(key)), tag('CreDtTm', made), ...sum],
    tag('InitgPty', tag('Nm', text(debtor.name))),
  )
  const message = tag('CstmrCdtTrfInitn', header, payment)
  const space = `urn:iso:std:iso:20022:tech:xsd:${format}`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="${space}">\n${message}\n</Document>\n`
}

function remittance({ reference, creditorReference }: PaymentOrder): string[] {
  if (creditorReference !== undefined) {
    const issuer = creditorReference.startsWith('RF') ? 'ISO' : 'BBA'
    const kind = tag('Tp', tag('CdOrPrtry', tag('Cd', 'SCOR')), tag('Issr', issuer))
    return [tag('RmtInf', tag('Strd', tag('CdtrRefInf', kind, tag('Ref', text(creditorReference)))))]
  }
  return reference === undefined ? [] : [tag('RmtInf', tag('Ustrd', text(reference)))]
}

function tag(name: string, ...content: readonly string[]): string {
  const isLeaf = content.length === 1 && !content[0]?.startsWith('<')
  if (isLeaf) return `<${name}>${content[0]}</${name}>`
  return `<${name}>\n${content.join('\n')}\n</${name}>`
}
