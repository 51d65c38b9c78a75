import { CountersignError } from '#core/errors.ts'
import { sayRuleProblem } from '#core/handbook-lines.ts'
import { type HandbookRules, MAX_HANDBOOK_BYTES, readHandbookRules } from '#core/handbook-rules.ts'
import type { JournalPort } from '#core/ports/journal.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { type RiskFacts, riskFacts } from '#core/risk.ts'
import { vaultPath } from '#core/vault-path.ts'

/** What this machine knows at a moment: the handbook's rules, and whom it has written to. */
export interface Knowledge {
  readonly risk: RiskFacts
  /** Why the handbook cannot be read, in words for the person: then nothing is known of its rules. */
  readonly fault: string | undefined
}

const HANDBOOK = vaultPath('Company_Handbook.md')

/** Reads both anew each time; what follows from them is kept while they are the same. */
export function knowledgeOf(
  { vault, journal }: { readonly vault: Pick<VaultPort, 'read'>; readonly journal: JournalPort },
  account: string,
): () => Promise<Knowledge> {
  let last: { readonly key: string; readonly knowledge: Knowledge } | undefined
  return async () => {
    const { text, fault } = await readHandbook(vault)
    const key = `${journal.recipientCount()} ${fault ?? ''} ${text}`
    if (last?.key === key) return last.knowledge
    const rules = readHandbookRules(text)
    const knowledge = { risk: riskFacts(withFault(rules, fault), [account], journal.recipients()), fault }
    last = { key, knowledge }
    return knowledge
  }
}

/** What of the handbook is not understood, a sentence each. */
export async function handbookProblems(deps: { knowledge(): Promise<Knowledge> }): Promise<string[]> {
  const { risk } = await deps.knowledge()
  return risk.rules.problems.map(sayRuleProblem)
}

async function readHandbook(vault: Pick<VaultPort, 'read'>): Promise<{ text: string; fault: string | undefined }> {
  try {
    return { text: (await vault.read(HANDBOOK, MAX_HANDBOOK_BYTES)) ?? '', fault: undefined }
  } catch (error) {
    if (!(error instanceof CountersignError && error.code === 'ERR_VAULT_UNREADABLE')) throw error
    const fault = `Your handbook cannot be read, so nothing goes out by its rules: ${error.message}. ${error.hint}`
    return { text: '', fault }
  }
}

function withFault(rules: HandbookRules, fault: string | undefined): HandbookRules {
  return fault === undefined ? rules : { ...rules, problems: [{ line: 1, text: '', say: fault }] }
}
