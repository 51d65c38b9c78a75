/** Where and as whom to log in. The password is asked for at every connection, so that a rotated one is taken up. */
export interface MailAccount {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly tls: 'tls' | 'starttls' | 'none'
  /** PEM of a private certificate authority (or a self-signed server) to trust besides the usual ones. */
  readonly caPem?: string
  /** The proxy it is reached through, `host:port`; without one directly. */
  readonly via?: string | undefined
  password(): Promise<string>
}

export interface MailAddress {
  /** Display name as the sender chose it; may be empty and may lie. */
  readonly name: string
  /** `local@domain`, the domain in lower-case ASCII (punycode). */
  readonly address: string
}

export interface IncomingAttachment {
  readonly fileName: string
  readonly contentType: string
  readonly size: number
  /** Missing when the part was too large to keep or to fetch, or holds a secret. */
  readonly content?: { readonly sha256: string; readonly bytes: Uint8Array }
}

/** How far a mailbox was read. Marks of one epoch grow with the mailbox; those of two epochs have nothing in common. */
export interface MailPosition {
  /** IMAP: the UIDVALIDITY. Gmail: always the same. */
  readonly epoch: string
  /** A whole number in decimal digits, of any length. IMAP: a UID. Gmail: a history id. */
  readonly mark: string
}

/** A message as it came from the mailbox, unparsed. */
export interface RawMail {
  /** Once this message is dealt with, the mailbox is read up to here; missing where only `onCaughtUp` can tell. */
  readonly position?: MailPosition
  /** When the server received it, ms. */
  readonly receivedAt: number
  /** Its whole size in bytes, of which `source` holds the beginning. */
  readonly size: number
  readonly source: Uint8Array
  /** Names and sizes of its parts as the server tells them, when `source` is cut. */
  readonly declaredAttachments: readonly IncomingAttachment[]
}

/** A message as far as it could be read. Everything in it was written by a stranger. */
export interface IncomingMail {
  /** With angle brackets. */
  readonly messageId?: string
  readonly references: readonly string[]
  readonly from?: MailAddress
  readonly replyTo: readonly MailAddress[]
  readonly to: readonly MailAddress[]
  readonly cc: readonly MailAddress[]
  /** Decoded, may be empty, may hold anything. */
  readonly subject: string
  readonly receivedAt: number
  /** The plain text part, else the HTML part as text without what it hides. */
  readonly text: string
  readonly attachments: readonly IncomingAttachment[]
  /** Lower-case names; several values in the order of the message. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  /** SHA-256 (hex) of the source that was read. */
  readonly digest: string
  /** Sentences for the person: what is damaged, cut or left out. */
  readonly problems: readonly string[]
}

/** Reads a raw message. Never throws on hostile or broken ones: what cannot be read is named in `problems`. */
export type MailParser = (raw: RawMail) => Promise<IncomingMail>

/** From where a mailbox is read. */
export interface StartingPoint {
  /** After this mark; missing: never read in this epoch. */
  readonly after?: string
  /** What arrived since then, where there is no mark or the server knows it no longer (ms). */
  readonly sinceMs: number
}

export interface MailHandlers {
  startingPoint(epoch: string): StartingPoint
  /** One message at a time, oldest first. When it throws, the same message comes again after the back-off. */
  onMessage(raw: RawMail): Promise<void>
  /** All messages up to here were handed over. Called after every look at the mailbox, also when nothing was new. */
  onCaughtUp(position: MailPosition): void
  onState(state: SourceState): void
  /** Called at every look by sources whose credentials can end by themselves. */
  onCredential?(news: CredentialNews): Promise<void>
}

/** What is known of the credential that a mailbox is read with. */
export interface CredentialNews {
  /** Tells it from the next one, without telling it. */
  readonly name: string
  /** When it ends, ms; missing where that is not known. */
  readonly expiresAt?: number
  /** It is taken no longer, or is not what it should be: a person has to get a new one. */
  readonly isRefused: boolean
}

export type SourceState =
  | { readonly kind: 'connected' }
  | { readonly kind: 'disconnected'; readonly error: Error; readonly retryInMs: number }

/**
 * A mailbox that is only looked at: nothing in it is marked, moved or deleted. `watch` announces new messages as it
 * learns of them, reconnects with back-off for ever, and stops when disposed.
 */
export interface MailSource {
  watch(handlers: MailHandlers): AsyncDisposable
}

/** Which messages to look for; all that is given must hold. `since`: a day, YYYY-MM-DD. */
export interface MailQuery {
  readonly text?: string | undefined
  readonly from?: string | undefined
  readonly subject?: string | undefined
  readonly since?: string | undefined
  readonly limit: number
}

/** A message as a list shows it; all of it is a stranger's text. */
export interface FoundMail {
  readonly messageId: string
  readonly from: string
  readonly subject: string
  /** ms */
  readonly receivedAt: number
}

/** Newest first, at most `limit`; looks only, marks nothing. Throws ERR_MAIL_AUTH, ERR_MAIL_UNREACHABLE. */
export type SearchMail = (query: MailQuery) => Promise<FoundMail[]>

/** A file of the message, whole. */
export interface MailFile {
  readonly name: string
  /** Media type: `application/pdf`. */
  readonly type: string
  readonly bytes: Uint8Array
}

/** What SMTP is told and given: recipients of the envelope and the exact bytes of the message. */
export interface OutgoingMail {
  readonly envelope: { readonly from: string; readonly to: readonly string[] }
  readonly raw: Uint8Array
}

export type SendOutcome =
  /** The server took responsibility, except for the recipients it refused by name. */
  | {
      readonly kind: 'accepted'
      readonly response: string
      readonly refusedRecipients: readonly { readonly address: string; readonly response: string }[]
    }
  /** Definite: nothing was sent. `permanent`: the same message would be refused again. */
  | { readonly kind: 'refused'; readonly code: string; readonly response: string; readonly permanent: boolean }
  /** The message was handed over, at least in part, and no answer came. */
  | { readonly kind: 'unknown'; readonly reason: string }

export interface MailSender {
  /** Connects and logs in. Throws ERR_MAIL_AUTH or ERR_MAIL_UNREACHABLE. */
  verify(): Promise<void>
  /** Never throws for what the network or the server does: the outcome says it. */
  send(mail: OutgoingMail): Promise<SendOutcome>
}

/** The folder of sent mail: the place where an unknown outcome can be looked up. Throws ERR_MAIL_AUTH, ERR_MAIL_UNREACHABLE. */
export interface SentMail {
  /**
   * Exact comparison, with the Message-ID or with our own header that repeats it (providers may replace the former).
   * `since`: it was surely not sent before (ms).
   */
  has(messageId: string, since?: number): Promise<boolean>
  /** Files the same bytes as sent, marked as read. Does not look whether they are there already. */
  append(raw: Uint8Array, sentAt: number): Promise<void>
}

/** A message of a thread as the mailbox shows it; addresses and ids are strangers' text. */
export interface ThreadMessage {
  readonly folder: 'inbox' | 'sent'
  readonly messageId: string
  /** What our own header says (`OWN_ID_HEADER`), for mail that this program sent. */
  readonly ownId?: string
  /** In-Reply-To and References. */
  readonly refersTo: readonly string[]
  /** Bare address; may be empty. */
  readonly from: string
  /** When the server received or filed it, ms. */
  readonly at: number
}

/**
 * What stands in the inbox and in Sent of the threads that these Message-IDs belong to: the messages themselves and
 * whatever refers to one of them. `since`: nothing older is wanted (ms, to the day). Looks only, marks nothing. Throws
 * ERR_MAIL_AUTH, ERR_MAIL_UNREACHABLE.
 */
export type LookAtThread = (query: {
  readonly ids: readonly string[]
  readonly since?: number
}) => Promise<ThreadMessage[]>

/** What a mail system reports about a mail that it could not deliver. Anybody can write such a report. */
export interface DeliveryReport {
  /** By which ids the reported mail called itself. */
  readonly ids: readonly string[]
  /** Recipients that it was not delivered to, for good. */
  readonly failed: readonly {
    readonly address: string
    /** `5.1.1`, or empty. */
    readonly status: string
    /** The words of the server that refused it, one line; may be empty. */
    readonly reason: string
  }[]
}

/** undefined: the message is no report of a delivery that failed for good. Never throws. */
export type ReportReader = (raw: RawMail) => Promise<DeliveryReport | undefined>
