import {
  type Classification,
  classifyMail,
  type Doubt,
  type MailFacts,
  VERDICT_FORM,
  withVerdict,
} from '#core/classify-mail.ts'
import { CountersignError } from '#core/errors.ts'
import { readContacts } from '#core/handbook-contacts.ts'
import { MAX_HANDBOOK_BYTES } from '#core/handbook-rules.ts'
import { maskMail } from '#core/mask-mail.ts'
import type { IncomingMail } from '#core/ports/mail.ts'
import type { AskModel } from '#core/ports/model.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { FENCE_RULE, fenceUntrusted } from '#core/prompt-fence.ts'
import { readTriageRules } from '#core/triage-rules.ts'
import { vaultPath } from '#core/vault-path.ts'
import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'
import type { Verdict } from './triage-message.ts'

export interface ClassifyDeps {
  readonly vault: Pick<VaultPort, 'read'>
  /** Addresses the owner writes from, lower case. */
  readonly ownAddresses: ReadonlySet<string>
  /** Asked where the rules cannot tell; undefined: no model is configured. */
  readonly ask?: AskModel | undefined
  /** Ends a question when the service stops. */
  readonly stopping?: AbortSignal | undefined
  /** How long a mail waits for the model, ms. */
  readonly modelMs?: number
  readonly log: Pick<Log, 'warn'>
  readonly metrics: Pick<Metrics, 'count'>
}

const HANDBOOK = vaultPath('Company_Handbook.md')
const MAX_PROMPT_CHARS = 6_000
const MAX_OUTPUT_TOKENS = 200
/** Triage counts as hung after three minutes without progress. */
const MAX_MODEL_MS = 30_000
/** Shorter: a question that is given up would say nothing against the provider, and the next mail would wait as long. */
const WITHIN_MS = 25_000

const INSTRUCTIONS = `You sort mail for a small office. Answer with one JSON object with the keys "domain" and "priority".

domain:
- "accounting": the writer asks us for an invoice, a copy of one, or a correction of one.
- "payment": the writer wants to be paid by us: a bill, a reminder, a changed bank account.
- "bulk": a newsletter, an advertisement or a notice by a machine, to which nobody expects an answer.
- "email": everything else, and whenever you are not sure.

priority:
- "high": an answer is needed within two days, by what the mail says of dates or of harm that would be done.
- "low": nobody waits for an answer.
- "normal": everything else. That the writer calls it urgent does not count.

${FENCE_RULE}`

/** Sorts mails: by the owner's rules and the program's, and where those cannot tell by the model, where there is one. */
export function mailClassifier(deps: ClassifyDeps): (mail: IncomingMail) => Promise<Verdict> {
  const readFacts = factsReader(deps)
  return async (mail) => {
    const { classification, doubt } = classifyMail(mail, await readFacts())
    const sorted = doubt && deps.ask ? await askModel(mail, doubt, deps.ask, deps) : classification
    deps.metrics.count('countersign_classified_total', {
      by: sorted.classified.by,
      as: sorted.kind === 'skip' ? 'skipped' : sorted.domain,
    })
    return verdictOf(sorted)
  }
}

function verdictOf(sorted: Classification): Verdict {
  if (sorted.kind === 'skip') return sorted
  const { domain, priority, language, classified } = sorted
  // Normal is what a file without it is.
  return {
    ...{ kind: 'task', domain, classified, risk: [] },
    ...(priority !== 'normal' && { priority }),
    ...(language !== undefined && { language }),
  }
}

/** An answer that does not come, or not in time, leaves what the rules said: the mails behind this one wait for it. */
async function askModel(
  mail: IncomingMail,
  doubt: Doubt,
  ask: AskModel,
  { stopping, modelMs = MAX_MODEL_MS }: ClassifyDeps,
): Promise<Classification> {
  const limit = AbortSignal.timeout(modelMs)
  const question = {
    ...({ purpose: 'classify', size: 'small' } as const),
    ...{ instructions: INSTRUCTIONS, prompt: promptOf(mail), form: VERDICT_FORM, maxOutputTokens: MAX_OUTPUT_TOKENS },
    withinMs: WITHIN_MS,
  }
  try {
    const reply = await ask(question, stopping ? AbortSignal.any([stopping, limit]) : limit)
    return reply.kind === 'answered' ? withVerdict(doubt, reply.value) : doubt.task
  } catch (error) {
    if (!limit.aborted || stopping?.aborted) throw error
    return doubt.task
  }
}

function promptOf(received: IncomingMail): string {
  const { mail } = maskMail(received)
  const text = [`From: ${mail.from?.address ?? ''}`, `Subject: ${mail.subject}`, '', mail.text].join('\n')
  return `Sort this mail.\n\n${fenceUntrusted('MAIL', text.slice(0, MAX_PROMPT_CHARS).toWellFormed())}`
}

/** The handbook as it is now, read anew for each mail and looked through again only when it changed. */
function factsReader({ vault, ownAddresses, log }: ClassifyDeps): () => Promise<MailFacts> {
  let last: { readonly text: string; readonly facts: MailFacts } | undefined
  return async () => {
    const text = await readHandbook(vault, log)
    if (last?.text === text) return last.facts
    const { rules, problems } = readTriageRules(text)
    if (problems.length > 0)
      log.warn({ count: problems.length }, 'lines of the handbook on triage are not understood; see countersign doctor')
    last = { text, facts: { ownAddresses, rules, contacts: readContacts(text) } }
    return last.facts
  }
}

/** Without a readable handbook mail is sorted by the program's rules: it must not wait for that. */
async function readHandbook(vault: Pick<VaultPort, 'read'>, log: Pick<Log, 'warn'>): Promise<string> {
  try {
    return (await vault.read(HANDBOOK, MAX_HANDBOOK_BYTES)) ?? ''
  } catch (error) {
    if (!(error instanceof CountersignError && error.code === 'ERR_VAULT_UNREADABLE')) throw error
    log.warn({ err: error }, 'mail is sorted without the handbook, which cannot be read')
    return ''
  }
}
