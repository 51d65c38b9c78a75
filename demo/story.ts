import { execFile } from 'node:child_process'
import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CountersignError } from '#core/errors.ts'
import type { IncomingMail } from '#core/ports/mail.ts'
import { draftOf, parseTaskFile, renderTaskFile, section, type TaskFile, withSection } from '#core/task-file.ts'
import { fileNameOf } from '#core/vault-path.ts'
import { verifyLedgers } from '../cli/audit.ts'
import { listTasks } from '../cli/tasks.ts'
import type { ZoneHome } from '../cli/zone-home.ts'
import { type ClientMail, readClientInbox, sendAsClient } from './client-mail.ts'
import { until } from './until.ts'
import type { World } from './world.ts'

/** One step: what happens, and how it is verified. It throws when it is not; what it returns is shown. */
export type Step = {
  readonly name: string
  readonly title: string
  run(): Promise<string>
}

export const SUBJECT = 'Invoice for March'
const LETTER = `Hello Olivia,

could you send me the invoice for March, please? I would like to pay it this week.

Kind regards
Clara`
const ADDED = 'The invoice is attached to Monday’s letter; please pay within 14 days.'
/** One wait of the story. Crash tests kill processes in the middle, so this is far above what a step takes. */
const LIMIT_MS = 90_000

type Progress = { messageId: string; file: string; month: string; draft: string }

/** The story in order. The steps share what they learn; each relies on the ones before it. */
export function storySteps(world: World, signal: AbortSignal): Step[] {
  const { cloud, local } = world.homes
  const { owner, client } = world.mailbox.accounts
  const mail: ClientMail = { smtp: world.mailbox.smtp, imap: world.mailbox.imap, client }
  const known: Progress = { messageId: '', file: '', month: '', draft: '' }
  const limits = { limitMs: LIMIT_MS, signal }
  const atHub = (what: string, find: (paths: string[]) => string | undefined) =>
    until(`${what} at the hub`, async () => find(await hubPaths(world.hub)), limits)

  return [
    {
      name: 'cloud-up',
      title: 'The cloud zone is up; the local machine is off',
      async run() {
        await world.startZone('cloud')
        const running = world.supervisor.state().map((one) => one.name)
        require(!running.some((name) => name.startsWith('local/')), 'a process of the local zone is running')
        return running.join(', ')
      },
    },
    {
      name: 'mail-sent',
      title: 'A client writes a mail',
      async run() {
        known.messageId = await sendAsClient(mail, { to: owner.address, subject: SUBJECT, text: LETTER })
        return `“${SUBJECT}” from ${client.address} to ${owner.address}`
      },
    },
    {
      name: 'triaged',
      title: 'Triage turns it into a task',
      async run() {
        const task = await until('a task for the mail', () => taskOfMail(cloud, known.messageId), limits)
        known.file = fileNameOf(task.path)
        return known.file
      },
    },
    {
      name: 'claimed',
      title: 'The cloud claims it: the hub accepted the move to In_Progress/cloud',
      async run() {
        const path = `In_Progress/cloud/${known.file}`
        return until(`${path} in the hub's history`, () => commitThatAdded(world.hub, path), limits)
      },
    },
    {
      name: 'drafted',
      title: 'The drafter hands in a reply, which waits for you at the hub',
      run: () => atHub('the draft', (paths) => paths.find((path) => path === `Pending_Approval/email/${known.file}`)),
    },
    {
      name: 'noted',
      title: 'The cloud leaves a note for the dashboard',
      async run() {
        const path = await until(
          'a note below Updates/cloud in the hub’s history',
          () => commitThatAdded(world.hub, 'Updates/cloud/*.md'),
          limits,
        )
        return path
      },
    },
    {
      name: 'local-up',
      title: 'You switch your machine on: the draft is in your vault',
      async run() {
        await world.startZone('local')
        const path = join(local.vault, 'Pending_Approval/email', known.file)
        await until('the draft in the local vault', () => readTask(path), limits)
        return path
      },
    },
    {
      name: 'card',
      title: 'Your machine renders the approval card',
      async run() {
        const path = join(local.vault, 'Pending_Approval/email', known.file)
        const task = await until('the card', async () => presented(await readTask(path)), limits)
        return `fingerprint ${task.front.presented?.digest.slice(0, 23)}`
      },
    },
    {
      name: 'approved',
      title: 'You edit the draft and move the file to Approved/',
      async run() {
        const path = join(local.vault, 'Pending_Approval/email', known.file)
        const task = await readTask(path)
        require(task !== undefined, `${path} is not there`)
        known.draft = `${draftOf(task)}\n\n${ADDED}`
        await writeFile(path, renderTaskFile(withSection(task, 'draft', known.draft)))
        await rename(path, join(local.vault, 'Approved', known.file))
        return `“${ADDED}” added`
      },
    },
    {
      name: 'executed',
      title: 'After the undo window it is countersigned and sent; the file moves to Done/',
      async run() {
        const path = await until('the file in Done/', () => doneFile(local, known.file), limits)
        known.month = path.split('/')[1] ?? ''
        const outcome = (await readTask(join(local.vault, path)))?.front.outcome
        require(outcome !== undefined, `${path} tells no outcome`)
        return `${path}: ${outcome.status}`
      },
    },
    {
      name: 'delivered',
      title: 'The answer is in the client’s mailbox, once, as you edited it, in its thread',
      async run() {
        const [letter] = await until('the answer', async () => nonEmpty(await readClientInbox(mail)), limits)
        requireAnswer(letter, known)
        await requireOne(mail)
        return `Re: ${known.messageId}`
      },
    },
    {
      name: 'done-at-hub',
      title: 'The hub has the finished task',
      run: () =>
        atHub('the finished task', (paths) => paths.find((path) => path === `Done/${known.month}/${known.file}`)),
    },
    {
      name: 'dashboard',
      title: 'The dashboard tells of it',
      async run() {
        await until(
          'the task in Dashboard.md',
          async () => mentions(join(local.vault, 'Dashboard.md'), SUBJECT),
          limits,
        )
        return join(local.vault, 'Dashboard.md')
      },
    },
    {
      name: 'agreed',
      title: 'Hub and both vaults hold the same files',
      run: () => until('hub and vaults to agree', () => agreement(world), limits),
    },
    {
      name: 'audited',
      title: 'Both ledgers verify, from both vaults',
      run: () => until('the ledgers', async () => auditOf([cloud, local]), limits),
    },
    {
      name: 'once',
      title: 'Still exactly one answer',
      async run() {
        await requireOne(mail)
        return '1 mail'
      },
    },
  ]
}

function require(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new CountersignError('ERR_DEMO_FAILED', problem)
}

async function taskOfMail(home: ZoneHome, messageId: string) {
  const tasks = await listTasks(home, { withDone: true })
  return tasks.find(({ task }) => task?.front.source?.message_id === messageId)
}

async function readTask(path: string): Promise<TaskFile | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const parsed = parseTaskFile(text)
  return parsed.ok ? parsed.task : undefined
}

function presented(task: TaskFile | undefined): TaskFile | undefined {
  return task?.front.presented && section(task, 'card') !== undefined ? task : undefined
}

async function doneFile(home: ZoneHome, file: string): Promise<string | undefined> {
  const tasks = await listTasks(home, { withDone: true })
  return tasks.find(({ path, place }) => place.kind === 'done' && fileNameOf(path) === file)?.path
}

function nonEmpty<T>(list: T[]): T[] | undefined {
  return list.length > 0 ? list : undefined
}

function requireAnswer(letter: IncomingMail | undefined, known: Progress): void {
  const headers = (name: string) => (letter?.headers.get(name) ?? []).join(' ')
  require(letter !== undefined && letter.subject === `Re: ${SUBJECT}`, `the subject is ${letter?.subject}`)
  require(letter.text.replace(/\s+/g, ' ').trim() ===
    known.draft.replace(/\s+/g, ' ').trim(), 'the text differs from what was approved')
  require(headers('in-reply-to') === known.messageId, `In-Reply-To is ${headers('in-reply-to')}`)
  require(headers('references').includes(known.messageId), `References are ${headers('references')}`)
}

async function requireOne(mail: ClientMail): Promise<void> {
  const count = (await readClientInbox(mail)).length
  require(count === 1, `the client has ${count} mails`)
}

async function mentions(file: string, words: string): Promise<boolean> {
  return (await readFile(file, 'utf8').catch(() => '')).includes(words)
}

async function auditOf(homes: readonly ZoneHome[]): Promise<string> {
  const lines: string[] = []
  for (const home of homes) {
    const { ok, agents, faults } = await verifyLedgers(home)
    require(ok, `${home.zone}: ${faults[0]?.agent} ${faults[0]?.problem}`)
    require(agents.length === 2 &&
      agents.every((one) => one.entries > 0 && one.checkpoints > 0), `${home.zone}: a ledger is empty`)
    lines.push(agents.map((one) => `${one.agent} ${one.entries}`).join(', '))
  }
  return `entries: ${lines[0]}`
}

/** Whether hub, cloud vault and local vault hold the same paths with the same bytes. */
async function agreement(world: World): Promise<string> {
  const hub = await hubBlobs(world.hub)
  for (const home of Object.values(world.homes)) {
    const vault = await vaultBlobs(world.hub, home.vault)
    const different = [...new Set([...hub.keys(), ...vault.keys()])].find((path) => hub.get(path) !== vault.get(path))
    require(different === undefined, `${different} differs between the hub and the ${home.zone} vault`)
  }
  return `${hub.size} files`
}

async function git(hub: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['--git-dir', hub, ...args], { maxBuffer: 16 * 1024 * 1024 })
  return stdout
}

async function hubPaths(hub: string): Promise<string[]> {
  return (await git(hub, 'ls-tree', '-r', '--name-only', '-z', 'main')).split('\0').filter(Boolean)
}

async function hubBlobs(hub: string): Promise<Map<string, string>> {
  const lines = (await git(hub, 'ls-tree', '-r', '-z', 'main')).split('\0').filter(Boolean)
  return new Map(lines.map((line) => [line.split('\t')[1] ?? '', line.split(/[ \t]/)[2] ?? '']))
}

async function vaultBlobs(hub: string, vault: string): Promise<Map<string, string>> {
  const entries = await readdir(vault, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name).slice(vault.length + 1))
  if (paths.length === 0) return new Map()
  const absolute = paths.map((path) => join(vault, path))
  const ids = (await git(hub, 'hash-object', '--no-filters', '--', ...absolute)).trim().split('\n')
  return new Map(paths.map((path, index) => [path, ids[index] ?? '']))
}

/** `<commit> <path>` of the first commit that added a path matching the pattern. */
async function commitThatAdded(hub: string, pattern: string): Promise<string | undefined> {
  const found = await git(
    hub,
    'log',
    '--no-renames',
    '--diff-filter=A',
    '--format=%h',
    '--name-only',
    'main',
    '--',
    pattern,
  )
  const [commit, path] = found.split('\n').filter(Boolean)
  return commit && path ? `${path} (commit ${commit})` : undefined
}
