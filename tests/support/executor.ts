import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compareTexts } from '#adapters/diff/compare-texts.ts'
import { openJournal } from '#adapters/journal/journal.ts'
import { type LedgerFs, openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { connectInProcess } from '#adapters/mcp/in-process-client.ts'
import { composeMail } from '#adapters/mime/compose-mail.ts'
import { openReceived } from '#adapters/received/received.ts'
import { readRestoreMark } from '#adapters/state-files/restore-mark.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { CountersignError } from '#core/errors.ts'
import { makeTaskId, type TaskId } from '#core/ids.ts'
import { type LedgerType, verifyChain } from '#core/ledger.ts'
import type { Channel } from '#core/ports/channel.ts'
import type { JournalPort } from '#core/ports/journal.ts'
import type { LookAtThread, MailSender, SendOutcome, SentMail, ThreadMessage } from '#core/ports/mail.ts'
import type { ReceivedPort } from '#core/ports/received.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { newTaskFile, parseTaskFile, renderSection, renderTaskFile, type TaskFile } from '#core/task-file.ts'
import { taskFileName, type VaultPath, vaultPath } from '#core/vault-path.ts'
import { composeWithFiles } from '#mcp/email/compose-with-files.ts'
import { createEmailServer } from '#mcp/email/server.ts'
import { sendEmail } from '#mcp/email/tools/send-email.ts'
import type { ExecutorDeps } from '#services/executor/deps.ts'
import { emailChannel } from '#services/executor/email-channel.ts'
import { inHand } from '#services/executor/in-hand.ts'
import { pendingReader } from '#services/executor/read-pending.ts'
import { onePass } from '#services/executor/run-executor.ts'
import { actingWith, type ExecutorParts, TOOL_LIMIT_MS, wireExecutor } from '#services/executor/wire-executor.ts'

export const OWNER = 'owner@countersign.test'
export const CLIENT = 'client@countersign.test'
/** A quiet moment at which the tests' clock starts. */
export const START = Date.parse('2026-11-20T12:00:00.000Z')

/** A mail system in memory: what was handed over, and the Sent folder. */
export class MemoryMail implements MailSender, SentMail {
  readonly delivered: string[] = []
  readonly filed: string[] = []
  /** What the server does with the next mails. */
  outcome: SendOutcome = { kind: 'accepted', response: '250 ok', refusedRecipients: [] }
  /** Set: the server cannot be used, for this reason. */
  away: CountersignError | undefined
  /** What the mailbox shows of any thread. */
  thread: ThreadMessage[] = []
  /** Providers such as Gmail file what they sent by themselves. */
  filesBySelf = false

  async verify(): Promise<void> {
    if (this.away) throw this.away
  }
  async send(mail: { raw: Uint8Array }): Promise<SendOutcome> {
    const text = Buffer.from(mail.raw).toString()
    if (this.outcome.kind === 'accepted') this.delivered.push(text)
    if (this.outcome.kind === 'accepted' && this.filesBySelf) this.filed.push(text)
    return this.outcome
  }
  async has(messageId: string): Promise<boolean> {
    if (this.away) throw this.away
    return this.filed.some((text) => text.includes(`Message-ID: ${messageId}`))
  }
  async look({ ids }: Parameters<LookAtThread>[0]): Promise<ThreadMessage[]> {
    if (this.away) throw this.away
    return this.thread.filter((one) => [one.messageId, ...one.refersTo].some((id) => ids.includes(id)))
  }
  async append(raw: Uint8Array): Promise<void> {
    if (this.away) throw this.away
    this.filed.push(Buffer.from(raw).toString())
  }
}

export function wrongPassword(): CountersignError {
  return new CountersignError('ERR_MAIL_AUTH', 'logging in to SMTP owner@mail.example:587: 535 refused')
}

export interface DraftOptions {
  readonly id?: TaskId
  readonly to?: string[]
  readonly subject?: string
  readonly body?: string
  readonly expires?: string
  /** Ids of tasks that must be done first. */
  readonly after?: readonly string[]
  /** Whole front matter of the action, or none. */
  readonly action?: Record<string, unknown> | undefined
}

let counter = 0

/** A draft as the drafter hands it in: its file name and its text. */
export function makeDraft(options: DraftOptions = {}): { id: TaskId; fileName: string; text: string } {
  const seed = Buffer.alloc(10)
  seed.writeUInt32BE(++counter, 6)
  const id = options.id ?? makeTaskId(START, seed)
  const action =
    'action' in options
      ? options.action
      : {
          tool: 'email.send_email',
          account: OWNER,
          to: options.to ?? [CLIENT],
          subject: options.subject ?? 'Re: Invoice for March',
          in_reply_to: '<question@countersign.test>',
          references: ['<question@countersign.test>'],
        }
  const task = newTaskFile(
    {
      id,
      schema: '1',
      kind: 'EMAIL',
      domain: 'email',
      title: 'Invoice for March',
      created: '2026-11-20T11:00:00.000Z',
      generation: '1',
      drafted: { by: 'cloud-draft-email', model: 'template', at: '2026-11-20T11:01:00.000Z', cost_usd: '0' },
      ...(options.expires && { expires: options.expires }),
      ...(options.after && { after: [...options.after] }),
      ...(action && { action: { tool: 'email.send_email', ...action } }),
    },
    [
      '# Invoice for March',
      renderSection('draft', options.body ?? 'Dear client,\n\nit is on its way.\n\nThe owner'),
      'Words of the cloud around the draft.',
      renderSection('original', '```text\nWhere is the invoice?\n```'),
      '',
    ].join('\n\n'),
  )
  const fileName = taskFileName({ kind: 'EMAIL', dayIso: '2026-11-20', title: 'Invoice for March', id })
  return { id, fileName, text: renderTaskFile(task) }
}

/** Tests wrap what the executor is given, to let it fail or die at a chosen step. */
export type Wrap = (parts: { vault: VaultPort; journal: JournalPort; ledger: LedgerFs; mail: MemoryMail }) => {
  vault: VaultPort
  journal: JournalPort
  ledger: LedgerFs
  mail: MailSender & SentMail
}

export interface Executor extends AsyncDisposable {
  readonly deps: ExecutorDeps
  /** Tests replace what it does. */
  readonly email: Channel
  /** One look at everything, as any event causes it. */
  pass(): Promise<void>
}

/** A zone home on disk (vault, journal, ledger) with a mail system in memory; executors come and go on it, and end with it. */
export interface ExecutorHome extends AsyncDisposable {
  readonly folder: string
  readonly vaultRoot: string
  readonly vault: VaultPort
  readonly mail: MemoryMail
  readonly key: KeyObject
  /** As sync tells the executor what it receives. */
  readonly received: ReceivedPort & Disposable
  now: number
  /** When a journal that is not there yet is made. */
  bornAt: number
  start(wrap?: Wrap, changes?: Partial<ExecutorDeps>): Promise<Executor>
  put(folder: string, draft?: DraftOptions): Promise<{ id: TaskId; fileName: string; path: VaultPath }>
}

export async function makeHome(signingKey?: KeyObject): Promise<ExecutorHome> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-executor-'))
  const vaultRoot = join(folder, 'vault')
  const state = join(folder, 'state')
  for (const one of [vaultRoot, state]) mkdirSync(one)
  const vault = await openVault(vaultRoot)
  const mail = new MemoryMail()
  const received = openReceived(state)
  const key = signingKey ?? generateKeyPairSync('ed25519').privateKey
  const running = new Set<Executor>()
  const home: ExecutorHome = {
    ...{ folder, vaultRoot, vault, mail, key, received },
    now: START,
    bornAt: START - 86_400_000,
    async start(wrap = (parts) => parts, changes = {}) {
      const clock = { now: () => home.now }
      const wrapped = wrap({
        vault: await openVault(vaultRoot),
        journal: openJournal(join(state, 'journal.sqlite'), {
          ...{ epoch: 'take', now: home.bornAt, restored: readRestoreMark(state) },
        }),
        ledger: openLedger({ vaultRoot, stateDir: state, agent: 'local', clock }),
        mail,
      })
      const { vault, journal, ledger } = wrapped
      const parts: ExecutorParts = {
        ...{
          vault,
          journal,
          ledger,
          received,
          clock,
          signingKey: key,
          compare: compareTexts,
          doorbell: { ring: async () => {} },
        },
      }
      const config = { zone: 'local', agent: 'local', ownerAddress: OWNER, ownerName: 'The owner' } as const
      const sender = wrapped.mail
      const compose = composeWithFiles(composeMail, vault, 'The owner')
      const send = sendEmail({ ...actingWith(parts), compose, send: (one) => sender.send(one) })
      const client = await connectInProcess(createEmailServer([send]))
      const log = { debug() {}, info() {}, warn() {}, error() {} }
      const email = emailChannel({
        ...{ sender, sentFolder: sender, clock, log, compose },
        lookAtThread: (query) => mail.look(query),
        sendEmail: (action, receipt) => client.call('send_email', { action, receipt }, TOOL_LIMIT_MS),
      })
      const deps: ExecutorDeps = {
        ...wireExecutor({ ...config, maxRecipients: 10, undoMs: 0 }, parts, [email], {
          log,
          metrics: { count() {}, observe() {}, since() {} } as never,
        }),
        lookUpGraceMs: 0,
        isQuiet: () => true,
        isNoteQuiet: () => true,
        inHand: inHand(() => {}),
        pending: pendingReader(),
        ...changes,
      }
      const executor: Executor = {
        ...{ deps, email },
        pass: () => onePass(deps, { agents: ['cloud', 'local'], config: { reconcileMs: 1_000, state } }),
        async [Symbol.asyncDispose]() {
          if (!running.delete(executor)) return
          await client[Symbol.asyncDispose]()
          journal[Symbol.dispose]()
          ledger[Symbol.dispose]()
        },
      }
      running.add(executor)
      return executor
    },
    async put(place, options) {
      const { id, fileName, text } = makeDraft(options)
      const path = vaultPath(`${place}/${fileName}`)
      await vault.create(path, text)
      return { id, fileName, path }
    },
    async [Symbol.asyncDispose]() {
      for (const one of running) await one[Symbol.asyncDispose]()
      received[Symbol.dispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return home
}

/** Where the file stands now. */
export function whereIs(home: ExecutorHome, fileName: string): Promise<string | undefined> {
  return home.vault.find(fileName).then((path) => path?.slice(0, path.lastIndexOf('/')))
}

/** Changes a file the way an editor does. */
export async function edit(home: ExecutorHome, path: string, change: (text: string) => string): Promise<void> {
  const checked = vaultPath(path)
  await home.vault.replace(checked, change((await home.vault.read(checked)) ?? ''))
}

export function tick(box: 'Approve' | 'Reject' | 'Redraft'): (text: string) => string {
  return (text) => text.replace(`- [ ] ${box}`, `- [x] ${box}`)
}

/** The task at a path; throws when it is none. */
export async function readTaskAt(home: ExecutorHome, path: string): Promise<TaskFile> {
  const parsed = parseTaskFile((await home.vault.read(vaultPath(path))) ?? '')
  if (!parsed.ok) throw new Error(`${path}: ${parsed.problem}`)
  return parsed.task
}

/** The types of all entries of the local ledger, which must verify. */
export function readLedger({ vaultRoot }: Pick<ExecutorHome, 'vaultRoot'>): LedgerType[] {
  const folder = join(vaultRoot, 'Logs/local')
  const files = readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
  const report = verifyChain('local', files)
  if (report.faults.length > 0) throw new Error(JSON.stringify(report.faults))
  return report.entries.map((entry) => entry.type)
}

export async function readDashboard(home: ExecutorHome): Promise<string> {
  return (await home.vault.read(vaultPath('Dashboard.md'))) ?? ''
}

/** The person's move. */
export async function moveToApproved(home: ExecutorHome, fileName: string): Promise<void> {
  await home.vault.move(vaultPath(`Pending_Approval/email/${fileName}`), vaultPath(`Approved/${fileName}`))
}
