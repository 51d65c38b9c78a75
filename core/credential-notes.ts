import { createHash } from 'node:crypto'
import type { Clock } from './ports/clock.ts'
import type { CredentialNews } from './ports/mail.ts'
import type { SeenMail } from './ports/seen-mail.ts'
import type { VaultPort } from './ports/vault.ts'
import { updateNotePath } from './update-note.ts'
import type { Zone } from './zone-policy.ts'

const AHEAD_MS = 2 * 24 * 60 * 60 * 1000

export interface CredentialDeps {
  readonly vault: Pick<VaultPort, 'create'>
  /** Which notes were written. */
  readonly seen: Pick<SeenMail, 'has' | 'add'>
  readonly clock: Clock
  readonly zone: Zone
  readonly agent: string
  /** The mailbox's name (`main` for the one of the settings) and address. */
  readonly name: string
  readonly address: string
  /** Told at each look when it ends (ms), where that is known. */
  expiresAt(at: number): void
}

/**
 * Tells when a mailbox's credential ends: as a figure, in a note two days before, and in another once it is taken no
 * longer. Each note once for a credential; at worst twice, after a crash between note and memory.
 */
export function credentialNotes(deps: CredentialDeps): (news: CredentialNews) => Promise<void> {
  return async (news) => {
    if (news.expiresAt !== undefined) deps.expiresAt(news.expiresAt)
    if (news.isRefused) return tellOnce('refused', news, deps)
    if (news.expiresAt !== undefined && news.expiresAt - deps.clock.now() <= AHEAD_MS)
      await tellOnce('ends-soon', news, deps)
  }
}

async function tellOnce(what: 'refused' | 'ends-soon', news: CredentialNews, deps: CredentialDeps): Promise<void> {
  const matter = `credential/${deps.name}/${news.name}/${what}`
  const key = createHash('sha256').update(matter).digest('hex')
  if (deps.seen.has(key)) return
  const at = deps.clock.now()
  const mailbox = `${deps.address} (mailbox ${deps.name})`
  const remedy = `Run \`${commandFor(deps)}\` where the ${deps.zone} zone’s home is.`
  const loss = deps.zone === 'cloud' ? 'no mail is read' : 'no mail is sent'
  const text =
    what === 'refused'
      ? `The token for ${mailbox} is not accepted any more, so ${loss}. Nothing is lost; it goes on afterwards. ${remedy}\n`
      : `The token for ${mailbox} ends on ${shownMinute(news.expiresAt ?? at)}; after that ${loss}. ${remedy}\n`
  await deps.vault.create(updateNotePath(deps.agent, at, matter), text)
  deps.seen.add(key, { at })
}

function commandFor({ zone, name }: CredentialDeps): string {
  return `countersign auth gmail --zone ${zone}${name === 'main' ? '' : ` --mailbox ${name}`}`
}

function shownMinute(at: number): string {
  const iso = new Date(at).toISOString()
  return `${iso.slice(0, 10)} at ${iso.slice(11, 16)} UTC`
}
