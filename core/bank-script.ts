import { z } from 'zod'
import type { Reach } from './egress-reach.ts'
import { readStrictYaml } from './strict-yaml.ts'

/** What of a payment can be typed into a page. */
export const ORDER_FIELDS = ['payee', 'iban', 'bic', 'amount', 'currency', 'reference', 'date'] as const
export type OrderField = (typeof ORDER_FIELDS)[number]

const LIMITS = { maxBytes: 16_384, maxLines: 300, maxDepth: 5, key: /^[a-z][a-z_]{0,30}$/ }
const MAX_STEPS = 40
/** How long a step may wait for the person: the whole payment has three minutes. */
const MAX_PAUSE_SECONDS = 90

const line = (max: number) =>
  z.string().regex(new RegExp(`^[^\\p{Cc}\\p{Zl}\\p{Zp}]{1,${max}}$`, 'u'), 'expected one line')
const say = line(300)
/** A CSS selector, or one of Playwright's (`role=button[name="Pay"]`); never a reference of one snapshot, which the next one gives to something else. */
const selector = line(200).refine((text) => !/^(f\d+)?e\d+$/.test(text), 'expected a selector')
const count = z
  .string()
  .regex(/^\d{1,2}$/, 'expected a whole number up to 99')
  .transform(Number)
const origin = z
  .string()
  .regex(
    /^https:\/\/(localhost|(?=[^/]*[a-z])[a-z0-9-]+(\.[a-z0-9-]+)+)(:[1-9]\d{0,4})?$/,
    'expected https://host or https://host:port, in small letters, and no bare address',
  )
const address = z
  .string()
  .refine((text) => URL.parse(text)?.protocol === 'https:' && text.length <= 500, 'expected an https:// address')
/** An element of the page, and the whole text that it must show. */
const mark = z.strictObject({ at: selector, text: line(200) })
const field = z.enum(ORDER_FIELDS)

const step = z.union([
  z.strictObject({ open: address }),
  z.strictObject({ expect: mark }),
  z.strictObject({ fields: z.strictObject({ in: selector, count }) }),
  z.strictObject({ fill: z.strictObject({ at: selector, with: field }) }),
  z.strictObject({ select: z.strictObject({ at: selector, with: field }) }),
  z.strictObject({ click: selector }),
  z.strictObject({
    pause: z.strictObject({
      until: mark,
      say,
      seconds: count.refine((value) => value >= 1 && value <= MAX_PAUSE_SECONDS, `expected 1 to ${MAX_PAUSE_SECONDS}`),
    }),
  }),
])
const words = z.array(line(100)).min(1).max(10)

const schema = z
  .strictObject({
    /** As an action names it. */
    bank: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,29}$/, 'expected small letters, digits and hyphens')
      .refine((name) => name !== 'sepa-file', 'this name stands for files'),
    title: line(60),
    /** All that the browser may reach. */
    origins: z.array(origin).min(1).max(10),
    currencies: z
      .array(z.string().regex(/^[A-Z]{3}$/))
      .min(1)
      .max(20),
    /** How this bank's pages write numbers and days. */
    formats: z.strictObject({
      decimal: z.enum(['.', ',']),
      thousands: z.enum(['.', ',', ' ', '’', "'", '']),
      date: z.string().regex(/^(?=.*DD)(?=.*MM)(?=.*YYYY)[DMY]+([./-])[DMY]+\1[DMY]+$/, 'expected such as DD.MM.YYYY'),
    }),
    login: address,
    /** What only a person who is logged in sees, on the page that the payment begins with and on the list of orders. */
    signed_in: mark,
    /** What only a person who is not logged in sees: without it, this is found out after a while of waiting. */
    signed_out: mark.optional(),
    payment: z.array(step).min(1).max(MAX_STEPS),
    /** Where the last page shows what will be ordered. */
    read_back: z.strictObject({
      payee: selector,
      iban: selector,
      amount: selector,
      currency: selector.optional(),
      reference: selector,
      date: selector.optional(),
    }),
    /** The deciding button: pressed once in the life of an approval, after what `read_back` reads was found to be right. */
    press: selector,
    // biome-ignore lint/suspicious/noThenProperty: the word of the script; nothing waits for this object
    then: z.strictObject({
      hand_over: z
        .strictObject({ at: selector, text: line(200), say, minutes: count.refine((value) => value >= 1) })
        .optional(),
      done: z.strictObject({ at: selector, text: line(200), reference: selector.optional() }).optional(),
      refused: z.array(mark).max(10).optional(),
    }),
    /** The bank's own list of orders: what is believed. */
    orders: z.strictObject({
      open: address,
      expect: mark,
      table: selector,
      /** By the words over the columns. */
      columns: z.strictObject({
        number: line(60).optional(),
        date: line(60),
        payee: line(60).optional(),
        iban: line(60),
        amount: line(60),
        currency: line(60).optional(),
        reference: line(60),
        status: line(60),
      }),
      done: words,
      waiting: words.optional(),
      refused: words.optional(),
    }),
  })
  .superRefine((script, context) => {
    for (const fault of faultsOf(script)) context.addIssue({ code: 'custom', message: fault })
  })

/** How one bank is paid at through its own pages. */
export type BankScript = z.infer<typeof schema>
export type BankStep = BankScript['payment'][number]
export type BankMark = z.infer<typeof mark>

export type BankScriptVerdict =
  | { readonly ok: true; readonly script: BankScript }
  /** For the person: what is wrong with the script, one sentence each. */
  | { readonly ok: false; readonly problems: readonly string[] }

/** Reads `<name>.yaml`. Strict: what is not understood is refused. Never throws. */
export function readBankScript(name: string, text: string): BankScriptVerdict {
  const yaml = readStrictYaml(text, LIMITS)
  if (!yaml.ok) return { ok: false, problems: [yaml.problem.replaceAll('the front matter', 'the script')] }
  const parsed = schema.safeParse(yaml.value)
  if (!parsed.success)
    return {
      ok: false,
      problems: parsed.error.issues
        .map(
          ({ path, message }) =>
            `${path.join('.') || 'script'}: ${/received undefined$/.test(message) ? 'missing' : message}`,
        )
        .slice(0, 20),
    }
  if (parsed.data.bank !== name)
    return { ok: false, problems: [`bank: the file is named ${name}, the bank in it ${parsed.data.bank}`] }
  return { ok: true, script: parsed.data }
}

/** Where the browser may go for these banks. */
export function reachOf(scripts: readonly BankScript[]): Reach[] {
  return scripts.flatMap(({ origins }) =>
    origins.map((one) => {
      const { hostname, port } = new URL(one)
      return { host: hostname, port: Number(port || 443) }
    }),
  )
}

/** Whether an address belongs to the bank. */
export function isOfBank(address: string, { origins }: Pick<BankScript, 'origins'>): boolean {
  const url = URL.parse(address)
  return url !== null && !url.username && !url.password && origins.some((one) => new URL(one).origin === url.origin)
}

function faultsOf(script: z.infer<typeof schema>): string[] {
  const { payment, orders, login, currencies } = script
  const opened = payment.flatMap((one) => ('open' in one ? [one.open] : []))
  const typed = payment.flatMap((one) => ('fill' in one ? [one.fill.with] : 'select' in one ? [one.select.with] : []))
  const faults = [...opened, orders.open, login]
    .filter((one) => !isOfBank(one, script))
    .map((one) => `${one} is at none of its origins`)
  if (payment[0] === undefined || !('open' in payment[0])) faults.push('payment: the first step has to open a page')
  for (const needed of ['payee', 'iban', 'amount', 'reference'] as const)
    if (!typed.includes(needed)) faults.push(`payment: the ${needed} is filled in nowhere`)
  for (const one of ORDER_FIELDS)
    if (typed.filter((name) => name === one).length > 1) faults.push(`payment: the ${one} is filled in twice`)
  if (currencies.length > 1 && !typed.includes('currency')) faults.push('payment: the currency is filled in nowhere')
  if (!payment.some((one) => 'fields' in one))
    faults.push('payment: it needs a step `fields`, so that a page that asks for more is noticed')
  if (payment.some((one) => 'click' in one && one.click === script.press))
    faults.push('press: a step of `payment` clicks the same button')
  const { thousands, decimal } = script.formats
  if (thousands === decimal) faults.push('formats: thousands and decimal are the same sign')
  if (!script.then.done && !script.then.hand_over) faults.push('then: it needs `done` or `hand_over`')
  const all = [...orders.done, ...(orders.waiting ?? []), ...(orders.refused ?? [])]
  if (new Set(all).size < all.length) faults.push('orders: one word of the status stands for two things')
  return faults
}
