import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { parseMail } from '#adapters/mime/parse-mail.ts'
import { openSeenMail } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { openThreadMemory } from '#adapters/seen-sqlite/thread-memory.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { SYNTHETIC_FOLDER, SYNTHETIC_OWNER, syntheticMail } from '#core/synthetic.ts'
import { triageMessage } from './triage-message.ts'

/**
 * Makes a task of a synthetic mail, by the code that makes one of a real mail, and leaves it for the drafter beside the
 * vault. One that was not taken yet is enough.
 */
export async function triageSynthetic(config: { readonly state: string; readonly agent: string }): Promise<void> {
  const root = join(config.state, SYNTHETIC_FOLDER, 'mail')
  const [vaultRoot, stateDir] = [join(root, 'vault'), join(root, 'state')]
  await mkdir(vaultRoot, { recursive: true, mode: 0o700 })
  if ((await (await openVault(vaultRoot)).list('Needs_Action/email')).length > 0) return
  await rm(root, { recursive: true })
  await mkdir(vaultRoot, { recursive: true, mode: 0o700 })
  const clock = { now: Date.now }
  using closing = new DisposableStack()
  const outcome = await triageMessage(syntheticMail(clock.now()), {
    vault: await openVault(vaultRoot),
    ledger: closing.use(openLedger({ vaultRoot, stateDir, agent: config.agent, clock })),
    seen: closing.use(openSeenMail(join(stateDir, 'triage.sqlite'))),
    threads: closing.use(openThreadMemory(join(stateDir, 'threads.sqlite'), clock.now())),
    ...{ parse: parseMail, clock, agent: config.agent, localAgent: async () => 'local' },
    ...{ account: SYNTHETIC_OWNER, ownAddresses: new Set([SYNTHETIC_OWNER]), provider: 'imap' as const },
  })
  if (outcome.kind !== 'task') throw new Error(`the synthetic mail became no task: ${outcome.kind}`)
}
