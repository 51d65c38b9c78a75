import { CountersignError } from '#core/errors.ts'
import { examplesPath, exampleTexts, MAX_EXAMPLES_BYTES } from '#core/examples.ts'
import type { HandbookRules } from '#core/handbook-rules.ts'
import type { VaultPort } from '#core/ports/vault.ts'

/** What the person made of earlier drafts to an address, the newest first; nothing where they do not want it, or it cannot be read. */
export async function examplesFor(
  address: string | undefined,
  rules: Pick<HandbookRules, 'remembersEdits'>,
  vault: Pick<VaultPort, 'read'>,
): Promise<string[]> {
  if (address === undefined || !rules.remembersEdits) return []
  try {
    return exampleTexts((await vault.read(examplesPath(address), MAX_EXAMPLES_BYTES)) ?? '')
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'ERR_VAULT_UNREADABLE') return []
    throw error
  }
}
