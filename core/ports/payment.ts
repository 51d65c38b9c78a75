/** One payment as a way gets it: exactly what was countersigned. Every text is of the SEPA character set. */
export interface PaymentOrder {
  /** The name of whom the money goes to, at most 70 characters. */
  readonly payee: string
  /** Without blanks, in capitals, its check digits right. */
  readonly iban: string
  readonly bic: string | undefined
  /** A decimal number over 0 with exactly the digits of its currency: `1234.50`. */
  readonly amount: string
  /** ISO 4217. */
  readonly currency: string
  /** What the payee reads, at most 140 characters; never together with `creditorReference`. */
  readonly reference: string | undefined
  /** A creditor reference (ISO 11649, `RF…`), or one that a bank of the country knows, without blanks. */
  readonly creditorReference: string | undefined
  /** The day it is to be executed, `2026-12-01`; undefined: as soon as the bank can. */
  readonly executeOn: string | undefined
}

/** `sha256:<hex>` of a picture or page that stays on this machine, outside the vault. */
export type Evidence = string

/**
 * What became of one try. Every `say` and `reason` is a sentence for the person; it names no account and no password, and
 * holds no text of a page as it stands.
 */
export type PaymentAnswer =
  /** The bank has the payment and wants nothing more. `reference`: how the bank names it. */
  | { readonly kind: 'done'; readonly reference: string; readonly evidence: readonly Evidence[] }
  /**
   * Ready, and the person finishes it: the bank's second factor, a file to upload. `say`: what is left for them to do. It
   * is never tried again; whether it was done, the person says.
   */
  | { readonly kind: 'handed-over'; readonly say: string; readonly evidence: readonly Evidence[] }
  /** Definite: no money moves, and nothing waits at the bank. `permanent`: the same order would be refused again. */
  | {
      readonly kind: 'refused'
      readonly permanent: boolean
      readonly say: string
      readonly evidence: readonly Evidence[]
    }
  /** Something was begun and nobody can tell how far it went. */
  | { readonly kind: 'unknown'; readonly reason: string; readonly evidence: readonly Evidence[] }

export type FoundPayment =
  /** It is at the bank. */
  | { readonly kind: 'done'; readonly reference: string }
  /** It was made ready, and waits for the person. */
  | { readonly kind: 'handed-over'; readonly say: string }
  | { readonly kind: 'not-found' }
  /** The way cannot be asked, now or ever. */
  | { readonly kind: 'cannot-tell'; readonly reason: string }

/** One way to pay: a file for the bank, a bank's own pages. */
export interface PaymentWay {
  /** As an action names it: `sepa-file`, or a bank's name of small letters, digits and hyphens. */
  readonly name: string
  /** For the person: `a file for your bank`, `the pages of Example Bank`. */
  readonly title: string
  /** Everything that is wrong with it now, in words; empty when it works. */
  problems(): string[]
  /** True when it may pay now. */
  isReady(): Promise<boolean>
  /** Why it cannot carry this order at all (a currency, a field it does not know); undefined when it can. */
  fault(order: PaymentOrder): string | undefined
  /**
   * Pays once; never tries again by itself and never throws for what the bank does. `key`: the same for every try of one
   * approval, and for no other; letters, digits and dots, at most 35.
   */
  pay(order: PaymentOrder, key: string): Promise<PaymentAnswer>
  /** Only looks. `since`: when it was meant to be paid, or the earliest time it can have been; ms. */
  find(order: PaymentOrder, key: string, since: number): Promise<FoundPayment>
}

/** A vendor's bill as the books hold it now. */
export type BillState =
  /** Posted, and so much of it is not paid yet: a decimal string. */
  | { readonly kind: 'open'; readonly residual: string; readonly currency: string }
  | { readonly kind: 'paid' | 'draft' | 'cancelled' | 'not-there' | 'no-bill' }

/** Looks at a bill by its id in the books. Throws a retryable CountersignError while they cannot be asked. */
export type LookAtBill = (id: string) => Promise<BillState>
