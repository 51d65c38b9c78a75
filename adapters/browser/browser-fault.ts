/**
 * Why the browser could not go on. gone: it, or its server, is not there. dialog, window: the page opened one.
 * elsewhere: the page is none of the bank's. unreachable: it was not loaded. no-element, many-elements: a selector fits none, or more than one.
 * mark: the page does not show what it has to. signed-out: nobody is logged in. slow: the time is over.
 * page: anything else that the page did not let be done.
 */
export type BrowserFaultKind =
  | 'gone'
  | 'in-use'
  | 'dialog'
  | 'window'
  | 'elsewhere'
  | 'unreachable'
  | 'no-element'
  | 'many-elements'
  | 'mark'
  | 'signed-out'
  | 'slow'
  | 'page'

const SAYS: Readonly<Record<BrowserFaultKind, string>> = {
  gone: 'the browser ended, or gave no answer',
  'in-use': 'another window has this browser’s profile open; close it',
  dialog: 'the page opened a dialog box',
  window: 'the page opened a second window',
  elsewhere: 'the browser was led to a page that is not the bank’s',
  unreachable: 'the bank could not be reached',
  'no-element': 'the page lacks an element that the script names',
  'many-elements': 'the page has several elements where the script names one',
  mark: 'the page does not show what the script expects',
  'signed-out': 'nobody is logged in at the bank',
  slow: 'the pages took too long',
  page: 'the page did not let it be done',
}

/** The message is a clause for the person, and holds no word of the page. */
export class BrowserFault extends Error {
  readonly kind: BrowserFaultKind

  constructor(kind: BrowserFaultKind, options?: ErrorOptions) {
    super(SAYS[kind], options)
    this.kind = kind
  }
}
