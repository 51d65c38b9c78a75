export const MAIL_DOMAIN = 'countersign.test'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface MailLogin {
  /** User name of both servers. */
  readonly address: string
  readonly password: string
}

/** A throw-away mail system on loopback: both accounts read over IMAP, and send over SMTP after logging in, without TLS. */
export interface Mailbox extends AsyncDisposable {
  readonly smtp: Endpoint
  readonly imap: Endpoint
  readonly accounts: { readonly owner: MailLogin; readonly client: MailLogin }
  /** One line for the person: what it is and where. */
  readonly describe: string
}

export const MAIL_ACCOUNTS: Mailbox['accounts'] = {
  owner: { address: `owner@${MAIL_DOMAIN}`, password: 'owner-pass' },
  client: { address: `client@${MAIL_DOMAIN}`, password: 'client-pass' },
}

export interface MailboxOptions {
  /** `auto`: a real mail server in a container when Docker answers, else development servers in this process. */
  readonly kind?: 'auto' | 'container' | 'dev'
  /** How long building the container's image may take, where it is not there yet. */
  readonly buildLimitMs?: number
  /** Told before anything that takes long. */
  readonly say?: (line: string) => void
  /** Told the name of a container before it is started, for whoever clears up after a crash. */
  readonly onContainer?: (name: string) => void
}
