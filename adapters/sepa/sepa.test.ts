import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import type { PaymentOrder, PaymentWay } from '#core/ports/payment.ts'
import { asSepaText } from '#core/sepa-text.ts'
import { PAIN_FORMATS, type PainFile, renderPain001 } from './pain001.ts'
import { openSepaFile } from './sepa-file.ts'

const KEY = '01J8Z3W6Q0ABCDEFGHJKMNPQRS.1'
const ORDER: PaymentOrder = {
  ...{
    payee: 'Example Chairs GmbH',
    iban: 'DE89370400440532013000',
    bic: undefined,
    amount: '120.50',
    currency: 'EUR',
  },
  ...{ reference: 'INV-2026-0042', creditorReference: undefined, executeOn: undefined },
}
const DEBTOR = { name: 'The Owner', iban: 'FR1420041010050500013M02606', bic: undefined }
const FILE: PainFile = {
  ...{ format: 'pain.001.001.09', debtor: DEBTOR, order: ORDER, key: KEY },
  ...{ at: Date.parse('2026-11-20T12:00:00.000Z'), today: '2026-11-20' },
}

/** What stands at a path of the message: `GrpHdr/MsgId`. Each step is the first of its name. */
function at(xml: string, path: string): string | undefined {
  let rest: string | undefined = xml
  for (const name of path.split('/'))
    rest = new RegExp(`<${name}(?: [^>]*)?>([\\s\\S]*?)</${name}>`).exec(rest ?? '')?.[1]
  return rest?.trim()
}
/** The elements directly inside, in their order. */
function childrenOf(xml: string, path: string): string[] {
  const names: string[] = []
  let depth = 0
  for (const [, slash, name = ''] of (at(xml, path) ?? '').matchAll(/<(\/?)([A-Za-z]+)[^>]*>/g)) {
    if (slash) depth -= 1
    else if (depth++ === 0) names.push(name)
  }
  return names
}

describe.each(PAIN_FORMATS)('a message in %s', (format) => {
  const render = (changed: Partial<PaymentOrder> = {}, debtor: PainFile['debtor'] = DEBTOR) =>
    renderPain001({ ...FILE, format, debtor, order: { ...ORDER, ...changed } })

  // The order of elements, and which there must be, as the schema of ISO 20022 has it.
  it('holds every element in the order of its schema, and none that it does not know', () => {
    const xml = render({ bic: 'COBADEFFXXX' }, { ...DEBTOR, bic: 'BNPAFRPP' })
    const root = 'Document/CstmrCdtTrfInitn'
    expect(childrenOf(xml, root)).toEqual(['GrpHdr', 'PmtInf'])
    expect(childrenOf(xml, `${root}/GrpHdr`)).toEqual(['MsgId', 'CreDtTm', 'NbOfTxs', 'CtrlSum', 'InitgPty'])
    expect(childrenOf(xml, `${root}/PmtInf`)).toEqual([
      ...['PmtInfId', 'PmtMtd', 'NbOfTxs', 'CtrlSum', 'PmtTpInf', 'ReqdExctnDt', 'Dbtr', 'DbtrAcct', 'DbtrAgt'],
      ...['ChrgBr', 'CdtTrfTxInf'],
    ])
    expect(childrenOf(xml, `${root}/PmtInf/CdtTrfTxInf`)).toEqual([
      ...['PmtId', 'Amt', 'CdtrAgt', 'Cdtr', 'CdtrAcct', 'RmtInf'],
    ])
    const bic = format === 'pain.001.001.09' ? 'BICFI' : 'BIC'
    expect(at(xml, `DbtrAgt/FinInstnId/${bic}`)).toBe('BNPAFRPP')
    expect(at(xml, `CdtrAgt/FinInstnId/${bic}`)).toBe('COBADEFFXXX')
    expect(xml).toContain(`xmlns="urn:iso:std:iso:20022:tech:xsd:${format}"`)
  })

  it('says exactly what was countersigned', () => {
    const xml = render({ executeOn: '2026-12-01' })
    expect([at(xml, 'Cdtr/Nm'), at(xml, 'CdtrAcct/Id/IBAN'), at(xml, 'Amt/InstdAmt'), at(xml, 'RmtInf/Ustrd')]).toEqual(
      [...['Example Chairs GmbH', 'DE89370400440532013000', '120.50', 'INV-2026-0042']],
    )
    expect(xml).toContain('<InstdAmt Ccy="EUR">')
    expect([...xml.matchAll(/<(NbOfTxs|CtrlSum)>(.*?)</g)].map(([, name, value]) => [name, value])).toEqual([
      ...[
        ['NbOfTxs', '1'],
        ['CtrlSum', '120.50'],
        ['NbOfTxs', '1'],
        ['CtrlSum', '120.50'],
      ],
    ])
    expect([at(xml, 'MsgId'), at(xml, 'PmtInfId'), at(xml, 'EndToEndId')]).toEqual([KEY, KEY, KEY])
    expect(at(xml, format === 'pain.001.001.09' ? 'ReqdExctnDt/Dt' : 'ReqdExctnDt')).toBe('2026-12-01')
    expect([at(xml, 'Dbtr/Nm'), at(xml, 'DbtrAcct/Id/IBAN'), at(xml, 'DbtrAgt/FinInstnId/Othr/Id')]).toEqual([
      ...['The Owner', 'FR1420041010050500013M02606', 'NOTPROVIDED'],
    ])
  })

  it('carries a creditor reference as one, and none where there is none', () => {
    const rf = render({ reference: undefined, creditorReference: 'RF18539007547034' })
    expect(childrenOf(rf, 'Strd/CdtrRefInf')).toEqual(['Tp', 'Ref'])
    expect([at(rf, 'CdOrPrtry/Cd'), at(rf, 'Tp/Issr'), at(rf, 'CdtrRefInf/Ref')]).toEqual([
      'SCOR',
      'ISO',
      'RF18539007547034',
    ])
    expect(at(render({ reference: undefined, creditorReference: '090933755493' }), 'Tp/Issr')).toBe('BBA')
    expect(render({ reference: undefined })).not.toContain('RmtInf')
  })

  test('no text breaks out of its element', () => {
    const hostile = fc.oneof(
      fc.string({ maxLength: 70 }),
      fc.constantFrom('</Nm><Nm>x', '&amp;', "O'Neil", '<![CDATA[', '-->'),
    )
    fc.assert(
      fc.property(hostile, hostile, (payee, reference) => {
        let xml: string
        try {
          xml = render({ payee: payee || 'A', reference: reference || 'A' })
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
          return
        }
        expect(xml.split(/<Nm>/)).toHaveLength(4)
        expect(at(xml, 'Cdtr/Nm')).toBe(payee || 'A')
        expect(asSepaText(payee || 'A')).toBe(payee || 'A')
      }),
    )
  })
})

describe('the way sepa-file', () => {
  let home: string
  let folder: string
  let way: PaymentWay
  const clock = { now: () => FILE.at }
  const open = (changed: { folder?: string; now?: () => number } = {}) =>
    openSepaFile({
      ...{ folder: changed.folder ?? folder, vault: join(home, 'vault'), debtor: DEBTOR, format: 'pain.001.001.09' },
      clock: changed.now ? { now: changed.now } : clock,
    })
  const file = () => join(folder, `payment-${KEY}.xml`)

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'countersign-sepa-'))
    folder = join(home, 'payments')
    for (const one of [folder, join(home, 'vault')]) mkdirSync(one)
    way = open()
  })
  afterEach(() => rmSync(home, { recursive: true, force: true }))

  it('writes one file for its owner alone, tells where it is, and finds it again', async () => {
    expect(await way.find(ORDER, KEY, 0)).toEqual({ kind: 'not-found' })
    const answer = await way.pay(ORDER, KEY)
    expect(answer).toMatchObject({ kind: 'handed-over', say: expect.stringContaining(`payment-${KEY}.xml`) })
    expect(answer.evidence[0]).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(readdirSync(folder)).toEqual([`payment-${KEY}.xml`])
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(await way.find(ORDER, KEY, 0)).toMatchObject({ kind: 'handed-over' })
    expect(await way.find(ORDER, '01J8Z3W6Q0ABCDEFGHJKMNPQRS.2', 0)).toEqual({ kind: 'not-found' })
  })

  it('never writes over a file, not even with another order or on another day', async () => {
    await way.pay(ORDER, KEY)
    const before = readFileSync(file(), 'utf8')
    const later = open({ now: () => FILE.at + 86_400_000 })
    expect(await later.pay({ ...ORDER, amount: '9.00' }, KEY)).toMatchObject({ kind: 'handed-over' })
    expect(readFileSync(file(), 'utf8')).toBe(before)
    expect(readdirSync(folder)).toHaveLength(1)
  })

  it('makes no second file of a payment while the first one lies there, and could be uploaded too', async () => {
    await way.pay(ORDER, KEY)
    const next = KEY.replace(/\d+$/, '12')
    expect(await way.pay(ORDER, next)).toMatchObject({
      ...{ kind: 'refused', permanent: false, say: expect.stringContaining(`payment-${KEY}.xml`) },
    })
    expect(readdirSync(folder)).toEqual([`payment-${KEY}.xml`])
    rmSync(file())
    expect(await way.pay(ORDER, next)).toMatchObject({ kind: 'handed-over' })
  })

  it('takes no half file of an earlier crash for a payment', async () => {
    writeFileSync(join(folder, `.payment-${KEY}.xml.unfinished`), '<Document>')
    expect(await way.find(ORDER, KEY, 0)).toEqual({ kind: 'not-found' })
    expect(readdirSync(folder)).toEqual([])
  })

  it('refuses, having written nothing, what a file cannot carry', async () => {
    for (const [changed, words] of [
      [{ currency: 'USD' }, 'euro only'],
      [{ iban: 'BR1800360305000010009795493C1' }, 'BR'],
      [{ iban: DEBTOR.iban }, 'would pay'],
    ] as const)
      expect(await way.pay({ ...ORDER, ...changed }, KEY)).toMatchObject({
        ...{ kind: 'refused', permanent: true, say: expect.stringContaining(words) },
      })
    rmSync(folder, { recursive: true })
    expect(await way.pay(ORDER, KEY)).toMatchObject({ kind: 'refused', permanent: false })
    expect([await way.isReady(), way.problems().length]).toEqual([false, 1])
    expect(existsSync(file())).toBe(false)
  })

  it('does not open with its folder in the vault', () => {
    for (const inside of [join(home, 'vault'), join(home, 'vault/Payments'), `${home}/payments/../vault/x`])
      expect(() => open({ folder: inside })).toThrow(/lies in the vault/)
    symlinkSync(join(home, 'vault'), join(home, 'link'))
    expect(() => open({ folder: join(home, 'link') })).toThrow(/lies in the vault/)
    expect(() => open({ folder: join(home, 'vault-payments') })).not.toThrow()
  })

  it('takes no key that is a path', async () => {
    for (const key of ['../x', 'a/b', '..', '', 'x'.repeat(36)])
      await expect(way.pay(ORDER, key)).rejects.toThrow(RangeError)
  })
})
