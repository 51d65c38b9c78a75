import { chainEntry, type LedgerHead, renderLedgerLine } from '#core/ledger.ts'

// What a vault of some years holds: nearly all of it is finished mail in Done/YYYY-MM, with ledgers beside it.

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** GitHub advises against more than 3,000 entries in one directory. */
const FILES_A_MONTH = 2_100
const COMMITS_A_DAY = 50
const LAST_MONTH = 2026 * 12 + 10
const PLANS = 20

/** The file that travels: a draft in `Pending_Approval/`, which the cloud may replace and the local zone shows. */
export const TRAVELLER = 'Pending_Approval/email/EMAIL_2026-11-20_the-file-that-travels_000000.md'

export function travellerText(mark: string): string {
  return taskText('0'.repeat(6), 'The file that travels', mark)
}

export interface VaultFile {
  readonly path: string
  readonly text: string
}

/** The files of a vault by number: traveller, plans, then finished mails from the newest month back. */
export function vaultFile(index: number): VaultFile {
  if (index === 0) return { path: TRAVELLER, text: travellerText('as made') }
  if (index <= PLANS) return { path: `Plans/plan-${index}.md`, text: `# Plan ${index}\n\n- [ ] first step\n` }
  return doneMail(index, 0)
}

/** What the n-th small commit changes: a finished mail gets its next revision, and the day's ledger a line. */
export function smallCommits(files: number): { next(): VaultFile[] } {
  let count = 0
  let head: LedgerHead | null = null
  let lines = ''
  let day = ''
  return {
    next() {
      const at = new Date(Date.UTC(2026, 0, 1) + Math.floor(count / COMMITS_A_DAY) * 86_400_000 + count * 1_000)
      const today = at.toISOString().slice(0, 10)
      if (today !== day) lines = ''
      day = today
      const entry = chainEntry(head, { at: at.toISOString(), agent: 'local', type: 'execution.done' })
      head = entry
      lines += `${renderLedgerLine(entry)}\n`
      count += 1
      const newest = Math.min(FILES_A_MONTH, files - PLANS - 2)
      const mail = doneMail(PLANS + 1 + (count % newest), count)
      return [mail, { path: `Logs/local/${day}.jsonl`, text: lines }]
    },
  }
}

/** A task file of some 900 bytes; `mark` makes one version differ from the next. */
export function taskText(shortId: string, title: string, mark: string): string {
  return `---
id: 01K9ZZZZZZZZZZZZZZZZ${shortId}
schema: "1"
kind: EMAIL
domain: email
title: ${title}
created: "2026-11-20T10:00:00Z"
source:
  provider: imap
  message_id: <${shortId}@mail.example>
  from: client-${shortId}@mail.example
generation: "1"
history:
  - state: needs-action
    agent: cloud
    at: "2026-11-20T10:00:00Z"
  - state: in-progress
    agent: cloud
    at: "2026-11-20T10:00:05Z"
---
# ${title}

<!-- countersign:draft -->
Dear ${shortId},

thank you for your message. The invoice of March was sent on the second of April to the address we have on file.
Enclosed it goes out to you once more. Please tell us if it does not arrive, or if another address should be used.

With kind regards
<!-- countersign:/draft -->

<!-- countersign:original -->
> Could you send it again, please? ${mark}
<!-- countersign:/original -->
`
}

function doneMail(index: number, revision: number): VaultFile {
  const shortId = [...Array(6).keys()].map((place) => DIGITS[Math.floor(index / 32 ** (5 - place)) % 32]).join('')
  const month = LAST_MONTH - Math.floor((index - PLANS - 1) / FILES_A_MONTH)
  const folder = `${Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, '0')}`
  const name = `EMAIL_${folder}-20_invoice-for-march_${shortId.toLowerCase()}.md`
  return { path: `Done/${folder}/${name}`, text: taskText(shortId, 'Invoice for March', `revision ${revision}`) }
}
