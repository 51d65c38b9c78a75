/** One order as the bank keeps it. */
export interface BankOrder {
  readonly number: string
  readonly date: string
  readonly payee: string
  readonly iban: string
  /** As typed: `1.234,56`. */
  readonly amount: string
  readonly currency: string
  readonly reference: string
  status: 'Waiting for confirmation' | 'Carried out' | 'Cancelled'
}

/** What the bank's pages do wrong. */
export interface BankFaults {
  /** Nothing is where it was. */
  redesigned?: boolean
  /** The form asks for one thing more. */
  extraField?: boolean
  /** What the overview shows instead of what was typed. */
  reviewShows?: Partial<Record<'payee' | 'iban' | 'amount' | 'reference', string>>
  /** The overview has a field to fill in. */
  extraOnReview?: boolean
  /** The person is logged out: at once, or when the order is given (which the bank then has, or has not). */
  sessionLost?: 'before' | 'on-order-kept' | 'on-order-dropped'
  /** Opens a dialog on the form, on the overview, or after the order. */
  dialog?: 'form' | 'review' | 'after'
  /** Opens a second window on the overview. */
  popup?: boolean
  /** Each page takes this long, ms. */
  slowMs?: number
  /** Says that it was done, and keeps no order. */
  pretends?: boolean
  /** The bank wants no second factor. */
  noSecondFactor?: boolean
  /** The answer to the order never comes, which the bank has. */
  silentAfterOrder?: boolean
  /** Refuses the order in words of its own. */
  refuses?: boolean
  /** The list of orders is not to be had. */
  noList?: boolean
  /** HTML in each page: whatever a hostile text would do. */
  inject?: string
}

export const FORM_FIELDS = ['payee', 'iban', 'amount', 'currency', 'reference', 'date'] as const
export type Form = Record<(typeof FORM_FIELDS)[number], string>

const STYLE = `body{font:16px system-ui;margin:0;background:#eef2f6;color:#14202c}header{background:#0b3d5c;color:#fff;padding:14px 32px;
display:flex;gap:24px;align-items:baseline}header b{font-size:20px}header a{color:#cfe3f1}main{max-width:760px;margin:28px auto;background:#fff;
padding:24px 32px;border-radius:8px;box-shadow:0 1px 4px #0002}label{display:block;margin:12px 0 4px}input,select{font:inherit;padding:7px;width:100%;
box-sizing:border-box}button{font:inherit;margin-top:18px;padding:9px 22px;background:#0b3d5c;color:#fff;border:0;border-radius:5px}
dl{display:grid;grid-template-columns:160px 1fr;row-gap:8px}dt{color:#567}dd{margin:0;font-weight:600}table{width:100%;border-collapse:collapse}
td,th{text-align:left;padding:6px;border-bottom:1px solid #dde}.note{background:#fff6d8;padding:10px 14px;border-radius:6px}`

export function page(title: string, body: string, { inject = '' }: BankFaults, signedIn = true): string {
  const links = signedIn
    ? '<a href="/transfer">New transfer</a><a href="/orders">Orders</a><span id="user">Signed in as Olive Owner</span>'
    : ''
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>${STYLE}</style></head>
<body><header><b>Demonstration Bank</b>${links}</header><main><h1>${title}</h1>${body}</main>${inject}</body></html>`
}

export function loginPage(faults: BankFaults): string {
  return page(
    'Sign in',
    `<form method="post" action="/login"><label>User<input name="user"></label>
<label>Password<input name="password" type="password"></label><button>Sign in</button></form>`,
    faults,
    false,
  )
}

export function formPage(faults: BankFaults): string {
  if (faults.redesigned)
    return page('Send money', '<form><label>Who?<input name="who"></label><button>Next</button></form>', faults)
  const extra = faults.extraField
    ? '<label><input type="checkbox" name="express" checked> Express, for 25 EUR</label>'
    : ''
  return page(
    'New transfer',
    `<form id="transfer" method="post" action="/transfer"><label>Payee<input name="payee"></label><label>IBAN<input name="iban"></label>
<label>Amount<input name="amount" inputmode="decimal"></label>
<label>Currency<select name="currency"><option>USD</option><option>EUR</option><option>CHF</option></select></label>
<label>Reference<input name="reference"></label><label>Date<input name="date" placeholder="DD.MM.YYYY"></label>${extra}
<button>Continue</button></form>${faults.dialog === 'form' ? script("alert('New: our app')") : ''}`,
    faults,
  )
}

export function reviewPage(draft: string, form: Form, faults: BankFaults): string {
  const shown = { ...form, iban: form.iban.replace(/(.{4})(?=.)/g, '$1 '), ...faults.reviewShows }
  const rows = `<dt>Payee</dt><dd id="payee">${safe(shown.payee)}</dd><dt>IBAN</dt><dd id="iban">${safe(shown.iban)}</dd>
<dt>Amount</dt><dd id="amount">${safe(shown.amount)} ${safe(shown.currency)}</dd>
<dt>Reference</dt><dd id="reference">${safe(shown.reference)}</dd><dt>Date</dt><dd id="date">${safe(shown.date || 'at once')}</dd>`
  const more = [
    faults.dialog === 'review' ? script("confirm('Add to favourites?')") : '',
    faults.popup ? script("window.open('/login')") : '',
    faults.extraOnReview ? '<label>Tip for us<input name="tip" value="5"></label>' : '',
  ]
  return page(
    'Check your order',
    `<dl>${rows}</dl><form id="order" method="post" action="/order"><input type="hidden" name="draft" value="${draft}">
${more.join('')}<button>Order payment</button></form>`,
    faults,
  )
}

export function waitingPage(order: string, faults: BankFaults): string {
  const dialog = faults.dialog === 'after' ? script("alert('Thank you')") : ''
  return page(
    'Confirm in your app',
    `<p class="note">Order <b id="number">${order}</b> waits until you confirm it in the bank’s app.</p>
<form method="post" action="/confirm"><input type="hidden" name="order" value="${order}"><label>Code<input name="code"></label><button>Confirm</button></form>${dialog}`,
    faults,
  )
}

export function donePage(order: string, faults: BankFaults): string {
  return page('Payment carried out', `<p>Order <b id="number">${order}</b> was carried out.</p>`, faults)
}

export function refusedPage(faults: BankFaults): string {
  return page('Order not accepted', '<p>Your daily limit is used up.</p>', faults)
}

export function ordersPage(orders: readonly BankOrder[], faults: BankFaults): string {
  const columns = ['Number', 'Date', 'Payee', 'IBAN', 'Amount', 'Reference', 'Status']
  const row = (one: BankOrder) =>
    [one.number, one.date, one.payee, one.iban, `${one.amount} ${one.currency}`, one.reference, one.status]
      .map((cell) => `<td>${safe(cell)}</td>`)
      .join('')
  return page(
    'Your orders',
    `<table id="orders"><thead><tr>${columns.map((one) => `<th>${one}</th>`).join('')}</tr></thead><tbody>${orders
      .map((one) => `<tr>${row(one)}</tr>`)
      .join('')}</tbody></table>`,
    faults,
  )
}

function script(code: string): string {
  return `<script>${code}</script>`
}

function safe(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
