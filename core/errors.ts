/**
 * The closed table of error codes. `retryable` says whether a machine may try again by itself; `hint` is addressed to
 * the person who runs this and says what to do next. docs/errors.md has one entry per code (a test checks both ways).
 */
export const ERROR_CODES = {
  ERR_ATTACHMENT_CHANGED: {
    retryable: false,
    hint: 'Nothing was sent. Put the file back, or attach it again with `countersign attach`; then approve again.',
  },
  ERR_BACKUP_DAMAGED: {
    retryable: false,
    hint: 'Nothing was changed. `countersign backup check` says what is damaged; `--snapshot` takes an older backup (`countersign backup list`). Look at the disk or server the backups stand on.',
  },
  ERR_BACKUP_FAILED: {
    retryable: true,
    hint: 'Will retry. Correct what it names; the backups that are there stay as they are (docs/backup.md).',
  },
  ERR_BACKUP_FULL: {
    retryable: true,
    hint: 'Will retry. Make room where the backups go, or set COUNTERSIGN_BACKUP_TARGET to another place; the backups that are there are whole.',
  },
  ERR_BACKUP_LOCKED: {
    retryable: true,
    hint: 'Will retry. Wait until the other backup, check or restore has ended. The lock of one that was killed is taken away by itself, after half an hour at the latest.',
  },
  ERR_BACKUP_NONE: {
    retryable: false,
    hint: '`countersign backup list` shows which there are; look at --target, --zone and --snapshot.',
  },
  ERR_BACKUP_PASSWORD: {
    retryable: false,
    hint: 'Put the password that these backups were made with into secrets/backup-password (or name its file with --password-file). Without it nobody can read them, and nothing can bring it back.',
  },
  ERR_BACKUP_UNREACHABLE: {
    retryable: true,
    hint: 'Will retry. Mount the disk or reach the server, and look at COUNTERSIGN_BACKUP_TARGET and its key (docs/backup.md).',
  },
  ERR_BROWSER_FAILED: {
    retryable: true,
    hint: 'Chromium has to be installed (COUNTERSIGN_BROWSER), a window needs a screen, and nothing else may have its profile open; see docs/banks.md.',
  },
  ERR_CLONE_IN_USE: {
    retryable: true,
    hint: 'Another sync process works on this clone. Stop it, or let it do the work.',
  },
  ERR_CODE_NEEDED: {
    retryable: false,
    hint: 'Read its card (`countersign task show`), then type the code that stands there: `countersign approve <task> --code …`.',
  },
  ERR_CONFIG_INVALID: { retryable: false, hint: 'Correct every setting named above, then start again.' },
  ERR_CONFLICT_NOT_FOUND: {
    retryable: false,
    hint: '`countersign sync conflicts` lists every file of which there are two versions.',
  },
  ERR_CONFLICT_STATE: {
    retryable: false,
    hint: 'Both versions are kept. `countersign sync conflicts show` shows how they stand now; a decided task can be moved back to Pending_Approval/ first.',
  },
  ERR_COUNTERSIGNATURE_INVALID: {
    retryable: false,
    hint: 'Nothing was done. Approve the task in the vault on the local machine; acting tools accept nothing else.',
  },
  ERR_DEMO_FAILED: {
    retryable: false,
    hint: 'Look at the step named above and at the log files it names; `--keep` leaves everything running to look around.',
  },
  ERR_FENCED: {
    retryable: false,
    hint: 'A newer executor has taken over; this one stops. If two are meant to run, they need two vaults.',
  },
  ERR_GATE_REFUSED: {
    retryable: false,
    hint: 'Another clone pushed something it may not. Neither it nor what came after it was applied; see docs/trust-gate.md.',
  },
  ERR_GIT_FAILED: { retryable: true, hint: 'Will retry. If it lasts, run `countersign doctor`.' },
  ERR_GUARD_MISSING: {
    retryable: false,
    hint: 'Run `countersign init cloud` or `countersign init local` again where the zone home is: it makes keys/guard.json. Then start sync.',
  },
  ERR_HOME_MISSING: {
    retryable: false,
    hint: 'Run `countersign init cloud` or `countersign init local`, or name the folder with --home.',
  },
  ERR_HOME_UNWRITABLE: {
    retryable: false,
    hint: 'Make room there, or let this user write there, and run the same command again: it completes what is missing.',
  },
  ERR_HUB_UNREACHABLE: {
    retryable: true,
    hint: 'Will retry. Check the network, the hub address (COUNTERSIGN_HUB_URL) and its deploy key; nothing is lost meanwhile.',
  },
  ERR_HUB_WRITE_FAILED: {
    retryable: true,
    hint: 'Will retry. Make room on the hub’s disk, or make it writable; what waits here is pushed then.',
  },
  ERR_JOURNAL_FAILED: {
    retryable: false,
    hint: 'Nothing is executed without the journal. Check the disk and the state folder; restore journal.sqlite from a backup rather than delete it.',
  },
  ERR_KEY_LOCKED: {
    retryable: false,
    hint: 'Write the passphrase into a file of mode 0600 and name it in COUNTERSIGN_KEY_PASSPHRASE_FILE (or keep it as secrets/countersign-passphrase), then start again. `countersign unlock` takes the passphrase off the key.',
  },
  ERR_LEDGER_BROKEN: {
    retryable: false,
    hint: 'The ledger was changed by something else. Run `countersign audit verify` and keep a copy of the file it names.',
  },
  ERR_MAIL_AUTH: {
    retryable: true,
    hint: 'Check the mail user name and the password file; an app password may have been revoked. Gmail: `countersign auth gmail` gets a new token (docs/email.md).',
  },
  ERR_MAIL_REFUSED: {
    retryable: false,
    hint: 'The mail server refused the message; nothing was sent. Correct what it names and approve again.',
  },
  ERR_MAIL_UNREACHABLE: { retryable: true, hint: 'Will retry. Check host, port, TLS mode and the network.' },
  ERR_MIGRATION_FAILED: {
    retryable: false,
    hint: 'Nothing of it was lost: what was migrated before is put back. Start the program as it was before, and report this; docs/upgrade.md says how to go back.',
  },
  ERR_NOTIFY_FAILED: {
    retryable: true,
    hint: 'Will retry; nothing else waits for it. `countersign notify --test` tries it at once; see docs/notifications.md.',
  },
  ERR_NOT_RUNNING: {
    retryable: false,
    hint: 'Start the zone (`docker compose -f compose.local.yml up -d` or compose.cloud.yml; `npm start` for both on one machine), then try again.',
  },
  ERR_ODOO_AUTH: {
    retryable: true,
    hint: 'Check the key in COUNTERSIGN_ODOO_KEY_FILE (it may have expired) and what its user may do; see docs/odoo.md.',
  },
  ERR_ODOO_REFUSED: {
    retryable: false,
    hint: 'Odoo refused it; nothing was created or booked. Correct what it names, in the task or in Odoo.',
  },
  ERR_ODOO_UNREACHABLE: {
    retryable: true,
    hint: 'Will retry. Check the network, COUNTERSIGN_ODOO_URL, and that COUNTERSIGN_ODOO_DB is the name of its database.',
  },
  ERR_ODOO_UNSUPPORTED: {
    retryable: false,
    hint: 'Odoo 16 or later with its app Invoicing is needed, before 19 also COUNTERSIGN_ODOO_LOGIN; see docs/odoo.md.',
  },
  ERR_OUTCOME_UNKNOWN: {
    retryable: false,
    hint: 'It may have been done. Look in the Sent folder before you approve it again.',
  },
  ERR_PAYMENT_REFUSED: {
    retryable: false,
    hint: 'Nothing was paid. Correct what it names and approve again; see docs/payments.md.',
  },
  ERR_PAYMENT_UNAVAILABLE: {
    retryable: true,
    hint: 'Nothing was paid. Check what it names: the settings of this way to pay, its folder, or the bank’s pages (docs/payments.md).',
  },
  ERR_REDIS_MISSING: {
    retryable: false,
    hint: 'Install one (`apt install redis-server`, `dnf install valkey`, `brew install redis`) or start Docker, then try again.',
  },
  ERR_REDIS_UNREACHABLE: {
    retryable: true,
    hint: 'Will retry. Start the zone’s Redis or correct COUNTERSIGN_REDIS_URL; nothing is lost meanwhile.',
  },
  ERR_RESTORE_REFUSED: {
    retryable: false,
    hint: 'Nothing was changed. Stop the zone first (`docker compose -f compose.cloud.yml down`, or compose.local.yml), or restore into an empty folder with --home.',
  },
  ERR_SKILL_INVALID: {
    retryable: false,
    hint: 'Correct the file it names in the skill’s folder (docs/skills.md); tasks wait meanwhile, and nothing is lost.',
  },
  ERR_SOCIAL_AUTH: {
    retryable: true,
    hint: 'Check the account’s credential file and what it may do (docs/social.md); it may have expired or been revoked.',
  },
  ERR_SOCIAL_REFUSED: {
    retryable: false,
    hint: 'The network refused the post; nothing was posted. Correct what it names and approve again.',
  },
  ERR_SOCIAL_UNREACHABLE: {
    retryable: true,
    hint: 'Will retry. Check the network, and the address of the server where you set one (docs/social.md).',
  },
  ERR_STATE_NEWER: {
    retryable: false,
    hint: 'Run the newer program again, or restore a backup that this one made; docs/upgrade.md#going-back. Nothing was changed.',
  },
  ERR_STATE_OUTDATED: {
    retryable: true,
    hint: 'Run `countersign upgrade`: it makes a backup, stops the zone and migrates it. Until then nothing works on it.',
  },
  ERR_STATE_WRITE_FAILED: {
    retryable: true,
    hint: 'Will retry. Make room on the disk of the zone’s state folder, or make it writable; nothing of the vault is lost meanwhile.',
  },
  ERR_TASK_FILE_INVALID: {
    retryable: false,
    hint: 'Correct the front matter or the marks; see docs/vault-contract.md.',
  },
  ERR_TASK_NOT_FOUND: {
    retryable: false,
    hint: '`countersign task list` shows every task with its id.',
  },
  ERR_TASK_STATE: {
    retryable: false,
    hint: '`countersign task show` says where the task stands and what can be done with it.',
  },
  ERR_UPGRADE_FAILED: {
    retryable: false,
    hint: 'It says above how things stand. `countersign upgrade` may be run again at any time, and goes on where it was; docs/upgrade.md#going-back tells the way back.',
  },
  ERR_USAGE: {
    retryable: false,
    hint: '`--help` after the command shows its arguments and an example.',
  },
  ERR_VAULT_EMPTIED: {
    retryable: true,
    hint: 'Will retry; nothing was deleted at the hub. Mount or put back the vault folder. To fill it again from the hub, stop sync and remove state/sync.sqlite.',
  },
  ERR_VAULT_PATH_INVALID: {
    retryable: false,
    hint: 'Use a file name and folder of the vault contract (docs/vault-contract.md).',
  },
  ERR_VAULT_UNREADABLE: {
    retryable: false,
    hint: 'The file is no plain readable text file of the vault; look at it by hand.',
  },
  ERR_VAULT_WRITE_FAILED: {
    retryable: true,
    hint: 'Will retry. Check the free space and the permissions of the vault folder; what stood there before is untouched.',
  },
  ERR_WHATSAPP_IN_USE: {
    retryable: true,
    hint: 'Will retry. Another WhatsApp service has this session; two would take it from each other. Stop one of them.',
  },
  ERR_WHATSAPP_PLACE: {
    retryable: false,
    hint: 'Whoever has the session’s folder can write as you. Set COUNTERSIGN_WHATSAPP_STATE to a folder outside every vault.',
  },
  ERR_WHATSAPP_REFUSED: {
    retryable: false,
    hint: 'WhatsApp did not take the message; nothing was sent. Correct what it names and approve again.',
  },
  ERR_WHATSAPP_UNREACHABLE: {
    retryable: true,
    hint: 'Will retry. `countersign whatsapp status` says how the session is; see docs/whatsapp.md.',
  },
  ERR_ZONE_FORBIDDEN: {
    retryable: false,
    hint: 'This zone may never do that; only the local zone acts, and only on what was approved there.',
  },
} as const satisfies Record<string, { retryable: boolean; hint: string }>

export type ErrorCode = keyof typeof ERROR_CODES

/** Thrown when something cannot continue here. Expected outcomes (claim lost, refused by policy) are values instead. */
export class CountersignError extends Error {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: Record<string, unknown> } = {}) {
    super(message, { cause: options.cause })
    this.name = 'CountersignError'
    this.code = code
    this.details = options.details ?? {}
  }

  /** Whether a machine may try the same again by itself. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable
  }

  /** What the person should do next. */
  get hint(): string {
    return ERROR_CODES[this.code].hint
  }
}

/** An error of ours that a machine may try again by itself: somebody cannot be asked now. */
export function isAway(error: unknown): error is CountersignError {
  return error instanceof CountersignError && error.retryable
}

/** What went wrong, in the words of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
