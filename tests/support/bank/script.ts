/** How the demonstration bank is paid at: also the example of docs/banks.md. */
export function demoScript(origin: string): string {
  return `bank: demo
title: Demonstration Bank
origins: [${origin}]
currencies: [EUR]
formats: { decimal: ',', thousands: '.', date: DD.MM.YYYY }
login: ${origin}/login
signed_in: { at: '#user', text: Signed in as Olive Owner }
signed_out: { at: h1, text: Sign in }
payment:
  - open: ${origin}/transfer
  - expect: { at: h1, text: New transfer }
  - fields: { in: '#transfer', count: '6' }
  - fill: { at: 'input[name=payee]', with: payee }
  - fill: { at: 'input[name=iban]', with: iban }
  - fill: { at: 'input[name=amount]', with: amount }
  - select: { at: 'select[name=currency]', with: currency }
  - fill: { at: 'input[name=reference]', with: reference }
  - fill: { at: 'input[name=date]', with: date }
  - click: 'role=button[name="Continue"]'
  - expect: { at: h1, text: Check your order }
  - fields: { in: '#order', count: '0' }
read_back: { payee: '#payee', iban: '#iban', amount: '#amount', reference: '#reference', date: '#date' }
press: 'role=button[name="Order payment"]'
then:
  hand_over: { at: h1, text: Confirm in your app, say: Confirm it in the app of your bank., minutes: '10' }
  done: { at: h1, text: Payment carried out, reference: '#number' }
  refused: [{ at: h1, text: Order not accepted }]
orders:
  open: ${origin}/orders
  expect: { at: h1, text: Your orders }
  table: '#orders'
  columns: { number: Number, date: Date, payee: Payee, iban: IBAN, amount: Amount, reference: Reference, status: Status }
  done: [Carried out]
  waiting: [Waiting for confirmation]
  refused: [Cancelled]
`
}
