import { createHash } from 'node:crypto'
import { makeTaskId } from '#core/ids.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { CredentialNews } from '#core/ports/mail.ts'
import type { SeenMail } from '#core/ports/seen-mail.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { vaultPath } from '#core/vault-path.ts'
import type { Metrics } from '#runtime/metrics.ts'

const AHEAD_MS = 2 * 24 * 60 * 60 * 1000

export interface CredentialDeps {
  readonly vault: Pick<VaultPort, 'create'>
  readonly seen: Pick<SeenMail, 'has' | 'add'>
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'set'>
  readonly agent: string
  /** The mailbox's name and address. */
  readonly name: string
  readonly address: string
}

/**
 * Tells when a mailbox's credential ends: as a metric, in a note two days before, and in another once it is taken no
 * longer. Each note once for a credential; at worst twice, after a crash between note and memory.
 */
export function watchCredential(deps: CredentialDeps): (news: CredentialNews) => Promise<void> {
  return async (news) => {
    const { clock, metrics, name } = deps
    if (news.expiresAt !== undefined)
      metrics.set('countersign_mail_token_expiry_timestamp_seconds', news.expiresAt / 1000, { mailbox: name })
    if (news.isRefused) return tellOnce('refused', news, deps)
    if (news.expiresAt !== undefined && news.expiresAt - clock.now() <= AHEAD_MS)
      await tellOnce('ends-soon', news, deps)
  }
}

async function tellOnce(what: 'refused' | 'ends-soon', news: CredentialNews, deps: CredentialDeps): Promise<void> {
  const key = createHash('sha256').update(`credential/${deps.name}/${news.name}/${what}`).digest()
  if (deps.seen.has(key.toString('hex'))) return
  const at = deps.clock.now()
  const mailbox = `${deps.address} (mailbox ${deps.name})`
  const remedy = `Run \`${commandFor(deps.name)}\` where the cloud zone’s home is.`
  const text =
    what === 'refused'
      ? `Mail of ${mailbox} is not read any more: its token is not accepted. Nothing is lost; what comes meanwhile is found afterwards. ${remedy}\n`
      : `The token for ${mailbox} ends on ${shownMinute(news.expiresAt ?? at)}; after that no mail is read. ${remedy}\n`
  await deps.vault.create(vaultPath(`Updates/${deps.agent}/${makeTaskId(at, key)}.md`), text)
  deps.seen.add(key.toString('hex'), { at })
}

function commandFor(name: string): string {
  return `countersign auth gmail --zone cloud${name === 'main' ? '' : ` --mailbox ${name}`}`
}

function shownMinute(at: number): string {
  const iso = new Date(at).toISOString()
  return `${iso.slice(0, 10)} at ${iso.slice(11, 16)} UTC`
}
