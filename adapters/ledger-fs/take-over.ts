import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { chainEntry, type LedgerEntry, type LedgerHead, parseLedgerLine, renderLedgerLine } from '#core/ledger.ts'
import { LOG_FILE } from '#core/vault-path.ts'

/** A day of a ledger, as its file holds it. */
export interface LedgerDay {
  readonly name: string
  readonly text: string
}

/**
 * What the files of a machine that was set back are to become, when the hub has more of its ledger: the hub's days, and
 * behind them, chained anew, what was written here since. Statements about the ledger's own head are left out: they are of
 * a chain that is no more. Undefined: the hub has nothing that is not here. `days`: the hub's, from the first that differs.
 */
export function planTakeOver(
  folder: string,
  days: readonly LedgerDay[],
): { readonly files: LedgerDay[]; readonly gone: string[]; readonly head: LedgerHead } | undefined {
  const sorted = days.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const [first, newest] = [sorted[0], sorted.at(-1)]
  const theirs = sorted.flatMap(({ text }) => entriesOf(text))
  const last = theirs.at(-1)
  if (!first || !newest || !last) return undefined
  const names = existsSync(folder)
    ? readdirSync(folder).filter((name) => LOG_FILE.test(name) && name >= first.name)
    : []
  const ours = names.sort().flatMap((name) => entriesOf(readFileSync(join(folder, name), 'utf8')))
  const here = new Set(ours.map(({ hash }) => hash))
  if (theirs.every(({ hash }) => here.has(hash))) return undefined
  const there = new Set(theirs.map(({ hash }) => hash))
  const since = ours.filter(({ hash, type }) => !there.has(hash) && type !== 'ledger.checkpoint')
  let head: LedgerHead = last
  let name = newest.name
  const texts = new Map(sorted.map((day) => [day.name, day.text]))
  for (const { seq: _seq, prev: _prev, hash: _hash, ...draft } of since) {
    const sealed = chainEntry(head, draft)
    head = sealed
    // The chain runs through the files in order.
    const own = `${draft.at.slice(0, 10)}.jsonl`
    if (own > name) name = own
    texts.set(name, `${texts.get(name) ?? ''}${renderLedgerLine(sealed)}\n`)
  }
  const files = [...texts].map(([name, text]) => ({ name, text }))
  return {
    // The last one first: whoever dies in between has lost no entry.
    files: files.toReversed(),
    gone: names.filter((name) => !texts.has(name)),
    head: { seq: head.seq, hash: head.hash },
  }
}

function entriesOf(text: string): LedgerEntry[] {
  return text.split('\n').flatMap((line) => parseLedgerLine(line) ?? [])
}

/** Writes what was planned; `write` puts a whole file in its place, durably. */
export function applyTakeOver(
  folder: string,
  { files, gone }: Pick<NonNullable<ReturnType<typeof planTakeOver>>, 'files' | 'gone'>,
  write: (path: string, text: string) => void,
): void {
  mkdirSync(folder, { recursive: true })
  for (const { name, text } of files) write(join(folder, name), text)
  for (const name of gone) rmSync(join(folder, name), { force: true })
}
