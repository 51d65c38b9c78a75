import { domainDigest } from './canonical-json.ts'
import { withoutNotice } from './notice.ts'

const DECISION = /(<!-- countersign:decision -->\n)([\s\S]*?)(\n<!-- countersign:\/decision -->)/
const TICK = /^- \[[ xX]\] /gm
const CODE = /^Code:.*$/gm

/**
 * The digest of a whole file as it was put before the person: every letter of it counts, except what the person may
 * write in deciding (ticks and the typed code in the decision section) and what editors change unasked (a byte order
 * mark, Windows line ends). A decision counts for the file that was shown, and for no other.
 */
export function shownDigest(text: string): string {
  const plain = withoutNotice(text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n'))
  return domainDigest('countersign/shown/v1', plain.replace(DECISION, undecided))
}

function undecided(_all: string, open: string, decision: string, close: string): string {
  return `${open}${decision.replace(TICK, '- [ ] ').replace(CODE, 'Code:')}${close}`
}
