import { CountersignError } from '#core/errors.ts'
import { GROUNDING_FLAGS } from '#core/grounding-flags.ts'
import type { DraftResult } from '#core/ports/drafting.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { oneLine } from '#core/quote.ts'
import type { FrontMatter } from '#core/task-file.ts'
import { type RootNote, vaultPath } from '#core/vault-path.ts'

const MAX_OWN_NOTE_BYTES = 1024 * 1024
const MAX_REMARK = 500
const MAX_RISK = 50
/** What only a draft can be: another draft starts without. */
const OF_DRAFTS: ReadonlySet<string> = new Set(['facts-missing', 'draft-language-differs'])

/** The front matter's `drafted`. `remarks`: what is said beside the drafter's own remark. */
export function drafted(
  { by, model, costUsd, remark }: DraftResult,
  at: string,
  ...remarks: readonly (string | undefined)[]
): NonNullable<FrontMatter['drafted']> {
  const all = [...remarks, remark].filter((one) => one !== undefined).join('. ')
  return { by, model, at, cost_usd: costUsd, ...(all !== '' && { remark: oneLine(all, MAX_REMARK) }) }
}

/** A file's `risk` with the flags of a new draft in place of those of the last one. */
export function riskWith(risk: readonly string[], flags: readonly string[] = []): string[] {
  return [...new Set([...risk.filter((flag) => !OF_DRAFTS.has(flag) && !GROUNDING_FLAGS.has(flag)), ...flags])].slice(
    0,
    MAX_RISK,
  )
}

/** A note of the person's; empty when it is not there. One that cannot be read keeps no mail waiting, and is told of. */
export async function readOwnNote(
  name: RootNote,
  vault: Pick<VaultPort, 'read'>,
): Promise<{ readonly text: string; readonly problem?: string }> {
  try {
    return { text: (await vault.read(vaultPath(name), MAX_OWN_NOTE_BYTES)) ?? '' }
  } catch (error) {
    if (!(error instanceof CountersignError && error.code === 'ERR_VAULT_UNREADABLE')) throw error
    return { text: '', problem: `${name} cannot be read as text, so nothing in it was kept to` }
  }
}
