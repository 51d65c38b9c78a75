import { CountersignError } from '#core/errors.ts'
import { type OwnersWords, ownersWords } from '#core/grounding-card.ts'
import { hostsIn } from '#core/handbook-contacts.ts'
import { sayProblemIn, sayRuleProblem } from '#core/handbook-lines.ts'
import { type HandbookRules, MAX_HANDBOOK_BYTES, readHandbookRules } from '#core/handbook-rules.ts'
import type { JournalPort } from '#core/ports/journal.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { readPostCalendar } from '#core/post-calendar.ts'
import { type RiskFacts, riskFacts } from '#core/risk.ts'
import { readTriageRules } from '#core/triage-rules.ts'
import { type VaultPath, vaultPath } from '#core/vault-path.ts'
import { pastPayments } from './past-payments.ts'

/** What this machine knows at a moment: the handbook's rules, and whom it has written to. */
export interface Knowledge {
  readonly risk: RiskFacts
  /** What a draft may have been made from, beside what it answers. */
  readonly words: OwnersWords
  /** Why the handbook cannot be read, in words for the person: then nothing is known of its rules. */
  readonly fault: string | undefined
  /** What the cloud does not understand of the rules for mail and the posts that are planned, a sentence each. */
  readonly problems: readonly string[]
}

const HANDBOOK = vaultPath('Company_Handbook.md')
const GOALS = vaultPath('Business_Goals.md')

/** Reads both anew each time; what follows from them is kept while they are the same. */
export function knowledgeOf(
  { vault, journal }: { readonly vault: Pick<VaultPort, 'read'>; readonly journal: JournalPort },
  owner: { readonly address: string; readonly name: string },
): () => Promise<Knowledge> {
  let last: { readonly key: string; readonly knowledge: Knowledge } | undefined
  return async () => {
    const { text, fault } = await readNote(vault, HANDBOOK)
    // Nothing goes by what the goals say: where they cannot be read, they are only no source.
    const goals = (await readNote(vault, GOALS)).text
    const key = `${journal.recipientCount()} ${journal.paymentCount()} ${fault ?? ''} ${text.length} ${text}${goals}`
    if (last?.key === key) return last.knowledge
    const say = fault && `Your handbook cannot be read, so nothing goes out by its rules: ${fault}`
    const read = readHandbookRules(text)
    const rules = withFault({ ...read, hosts: [...read.hosts, ...hostsIn(goals)] }, say)
    const knowledge = {
      risk: riskFacts(rules, [owner.address], journal.recipients(), pastPayments(journal.payments())),
      words: ownersWords({ handbook: text, goals, ownName: owner.name }),
      fault: say,
      problems: [
        ...readTriageRules(text).problems.map(sayRuleProblem),
        ...readPostCalendar(goals).problems.map((one) => sayProblemIn('Business_Goals.md', one)),
      ],
    }
    last = { key, knowledge }
    return knowledge
  }
}

/** What of the handbook and the goals is not understood, a sentence each. */
export async function handbookProblems(deps: { knowledge(): Promise<Knowledge> }): Promise<string[]> {
  const { risk, problems } = await deps.knowledge()
  return [...risk.rules.problems.map(sayRuleProblem), ...problems]
}

async function readNote(
  vault: Pick<VaultPort, 'read'>,
  path: VaultPath,
): Promise<{ text: string; fault: string | undefined }> {
  try {
    return { text: (await vault.read(path, MAX_HANDBOOK_BYTES)) ?? '', fault: undefined }
  } catch (error) {
    if (!(error instanceof CountersignError && error.code === 'ERR_VAULT_UNREADABLE')) throw error
    return { text: '', fault: `${error.message}. ${error.hint}` }
  }
}

function withFault(rules: HandbookRules, fault: string | undefined): HandbookRules {
  return fault === undefined ? rules : { ...rules, problems: [{ line: 1, text: '', say: fault }] }
}
