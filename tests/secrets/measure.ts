import { secretlintScan } from '#adapters/secretlint/secretlint.ts'
import { guardScan, ruleScan } from '#core/content-scan.ts'
import type { ContentScan } from '#core/ports/content-scan.ts'
import { parseGuard, renderGuard } from '#core/secret-guard.ts'
import { BUSINESS_MAILS, CODE_MAILS } from './business-mails.ts'
import { DRESSES, SECRETS } from './dresses.ts'
import { FRESH_VARIANTS } from './fresh-variants.ts'
import { LEARNT_VARIANTS } from './learnt-variants.ts'
import { REALISTIC_SECRETS } from './realistic-secrets.ts'
import { RULE_FIXTURES } from './rule-fixtures.ts'
import { SECRETLINT_SAMPLES } from './secretlint-samples.ts'

/** Of how many texts of a corpus each layer says that they must stay. */
export interface Measured {
  readonly corpus: string
  readonly count: number
  readonly guard: number
  readonly rules: number
  readonly secretlint: number
  readonly together: number
  /** Not held back, but with something that ingest takes out. */
  readonly masked: number
}

const known = Object.entries(SECRETS).map(([name, value]) => ({
  name,
  bytes: Buffer.from(value),
  kind: 'text' as const,
}))
const LAYERS = {
  guard: guardScan(parseGuard(renderGuard(known, new Uint8Array(32).fill(7)))),
  rules: ruleScan,
  secretlint: secretlintScan(),
}

/** What should be held back, and what should not. */
export const CORPORA: Readonly<Record<string, readonly (string | Uint8Array)[]>> = {
  'own secrets in other dress': Object.values(SECRETS).flatMap((value) =>
    Object.values(DRESSES).map((put) => put(value)),
  ),
  'what each rule is for': Object.values(RULE_FIXTURES).flatMap(({ finds }) => finds),
  'what secretlint is for': Object.values(SECRETLINT_SAMPLES),
  'secrets in files, mails and notes': Object.values(REALISTIC_SECRETS),
  'variants the pack learnt from': Object.values(LEARNT_VARIANTS),
  'fresh variants': Object.values(FRESH_VARIANTS),
  'mails with codes and links': CODE_MAILS,
  'ordinary business mails': BUSINESS_MAILS,
}

export async function measure(corpus: string, texts: readonly (string | Uint8Array)[]): Promise<Measured> {
  const counts = { guard: 0, rules: 0, secretlint: 0, together: 0, masked: 0 }
  for (const text of texts) {
    const bytes = Buffer.from(text)
    const held = {
      guard: await holds(LAYERS.guard, bytes),
      rules: await holds(LAYERS.rules, bytes),
      secretlint: await holds(LAYERS.secretlint, bytes),
    }
    const isHeld = Object.values(held).includes(true)
    for (const layer of ['guard', 'rules', 'secretlint'] as const) counts[layer] += Number(held[layer])
    counts.together += Number(isHeld)
    counts.masked += Number(!isHeld && (await ruleScan.scan({ path: 'Plans/x.md', bytes })).length > 0)
  }
  return { corpus, count: texts.length, ...counts }
}

/** Lines of a Markdown table, as docs/secrets.md has them. */
export function rowOf({ corpus, count, guard, rules, secretlint, together, masked }: Measured): string {
  return `| ${[corpus, count, guard, rules, secretlint, together, masked].join(' | ')} |`
}

async function holds(layer: ContentScan, bytes: Uint8Array): Promise<boolean> {
  return (await layer.scan({ path: 'Plans/x.md', bytes })).some(({ kind }) => kind === 'block')
}
