import type { JsonValue } from './canonical-json.ts'
import type { LedgerEntry, LedgerType } from './ledger.ts'

/**
 * The entries of several ledgers in one order: each ledger's own stays as it is, whatever its clock did, and the ledgers
 * are woven by time.
 */
export function weave(ledgers: readonly (readonly LedgerEntry[])[]): LedgerEntry[] {
  const waiting = ledgers.map((entries) => [...entries].reverse())
  const woven: LedgerEntry[] = []
  for (;;) {
    const next = waiting.filter((entries) => entries.length > 0)
    const [first, ...others] = next
    if (!first) return woven
    const at = (entries: LedgerEntry[]) => entries.at(-1)?.at ?? ''
    const earliest = others.reduce((best, one) => (at(one) < at(best) ? one : best), first)
    woven.push(earliest.pop() as LedgerEntry)
  }
}

/** The life of one task through all ledgers, in order. */
export function lifeOf(task: string, ledgers: readonly (readonly LedgerEntry[])[]): LedgerEntry[] {
  return weave(ledgers.map((entries) => entries.filter((entry) => entry.task === task)))
}

type Say = (value: (key: string) => string) => string

const WORDS: Readonly<Record<LedgerType, Say>> = {
  'task.created': (value) => {
    if (value('from') === 'inbox') return 'a note in Inbox became this task'
    if (value('from') === 'calendar') return 'Business_Goals.md asked for this post'
    return `a mail from ${value('sender_domain') || 'somebody'} became this task`
  },
  'task.joined': (value) =>
    value('by')
      ? 'a message that had come for this thread was put into this task'
      : `a mail from ${value('sender_domain') || 'somebody'} came in its thread`,
  'mail.skipped': (value) => `a mail from ${value('sender_domain') || 'somebody'} was skipped: ${value('reason')}`,
  'mail.bounced': (value) => `came back undelivered (${value('status')})`,
  'task.claimed': (value) => `claimed (generation ${value('generation')})`,
  'task.given-back': (value) => (value('for') ? `given to ${value('for')}` : 'given back for anybody to claim'),
  'model.asked': (value) =>
    `${value('model')} was asked (${value('purpose')}): ${value('outcome')}, ${value('cost_usd')} USD`,
  'task.drafted': (value) =>
    value('problem') ? `could not be drafted: ${value('problem')}` : `drafted (${value('model')})`,
  'task.returned': (value) =>
    value('rule') === 'undone' ? 'taken back before it was done' : `put before you again: ${value('rule')}`,
  'draft.presented': (value) =>
    value('rule')
      ? `shown to you, with nothing to approve: ${value('rule')}`
      : `shown to you (fingerprint ${value('digest').slice(0, 19)}…)`,
  'task.approved': () => 'approved by you; the undo window began',
  'task.rejected': () => 'rejected by you',
  'task.redraft': () => 'sent back by you for another draft',
  'execution.intended': (value) => `countersigned, to be sent as ${value('key')}`,
  'execution.done': (value) => `done: ${value('answer') || 'accepted'}`,
  'execution.refused': (value) => `not done: ${value('rule') || value('reason')}`,
  'execution.resolved': (value) => `you said whether it was done: ${value('word')}`,
  'execution.unknown': (value) => `nobody can tell whether it was done: ${value('reason')}`,
  'conflict.kept': (value) => `two versions of ${value('of')}: the other was kept as ${value('copy')}`,
  'conflict.settled': (value) => `the other version ${value('copy')} was settled`,
  'file.refused': (value) => `${value('path')} could not be used: ${value('rule')}`,
  'path.held': (value) => `${value('path')} was held back: ${value('rule')}`,
  'gate.refused': (value) => `the gate refused what the hub holds: ${value('rule')} ${value('detail')}`,
  'hub.rolled-back': () => 'the hub had lost its newest history; it was put back',
  'hub.reattached': () => 'the hub’s other history was taken over on your word',
  'zone.forbidden': (value) => `${value('operation')} was refused in this zone: ${value('rule')}`,
  'ledger.checkpoint': (value) => `the ledger’s head was signed (entry ${value('seq')})`,
  'ledger.witnessed': (value) => `the head of ${value('agent')}’s ledger was noted (entry ${value('seq')})`,
  'machine.restored': (value) =>
    `this machine was restored${value('backup') ? ` from a backup of ${value('backup')}` : ''}: what was approved before is not done by itself, and is before you again`,
  'key.rotated': (value) => `the countersigning key ${value('old')} was replaced by ${value('new')}`,
}

/** An entry as a sentence for a person. What it quotes comes from the ledger as it is: clean it for where it is shown. */
export function sayEntry({ type, data }: Pick<LedgerEntry, 'type' | 'data'>): string {
  const value = (key: string) => textOf(data?.[key])
  return WORDS[type](value)
}

function textOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const COLUMNS = ['at', 'agent', 'seq', 'type', 'task', 'said', 'data'] as const

/** Entries as CSV (RFC 4180, with a heading). A cell that a spreadsheet would take for a formula begins with an apostrophe. */
export function entriesAsCsv(entries: readonly LedgerEntry[]): string {
  const rows = entries.map((entry) => {
    const { at, agent, seq, type, task = '', data = {} } = entry
    return [at, agent, `${seq}`, type, task, sayEntry(entry), JSON.stringify(data)]
  })
  return [COLUMNS, ...rows].map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('')
}

function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
