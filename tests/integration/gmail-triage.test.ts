import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GMAIL_SCOPES } from '#adapters/gmail/gmail-scopes.ts'
import { parseLedgerLine } from '#core/ledger.ts'
import { parseTaskFile } from '#core/task-file.ts'
import { freePorts } from '../../demo/free-ports.ts'
import { startDevMailServers } from '../../demo/mailbox/dev-servers.ts'
import { type GmailEmulator, startGmailEmulator } from '../support/gmail-emulator.ts'
import { deliver, eventually } from '../support/mail.ts'

const OWNER = 'owner@gmail.test'
const MAIN = join(import.meta.dirname, '../../services/triage/main.ts')

let gmail: GmailEmulator
let home: string
let running: ChildProcess[] = []

beforeEach(async () => {
  gmail = await startGmailEmulator(OWNER)
  home = mkdtempSync(join(tmpdir(), 'gmail-triage-'))
  mkdirSync(join(home, 'vault'))
  writeFileSync(join(home, 'token'), await gmail.tokenFile(), { mode: 0o600 })
})
afterEach(async () => {
  await Promise.all(running.map((one) => stop(one)))
  running = []
  await gmail[Symbol.asyncDispose]()
  rmSync(home, { recursive: true })
})

const letter = (subject: string) =>
  `From: Ana <ana@acme.test>\nTo: ${OWNER}\nSubject: ${subject}\nMessage-ID: <${subject}@acme.test>\n\nhello\n`

/** The triage service as it is started for real. */
async function startTriage(changes: Record<string, string> = {}) {
  const [port = 0] = await freePorts(1)
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      COUNTERSIGN_ZONE: 'cloud',
      COUNTERSIGN_VAULT: join(home, 'vault'),
      COUNTERSIGN_STATE: join(home, 'state'),
      COUNTERSIGN_HTTP_PORT: String(port),
      COUNTERSIGN_MAILBOX_PROVIDER: 'gmail',
      COUNTERSIGN_GMAIL_READ_TOKEN_FILE: join(home, 'token'),
      COUNTERSIGN_GMAIL_URL: gmail.url,
      COUNTERSIGN_OWNER_ADDRESS: OWNER,
      ...changes,
    },
  })
  running.push(child)
  let log = ''
  child.stdout?.on('data', (chunk) => {
    log += chunk
  })
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
    return answer && { ok: answer.ok, text: await answer.text() }
  }
  return { child, get, log: () => log }
}

async function watching(changes: Record<string, string> = {}) {
  const triage = await startTriage(changes)
  await eventually('triage watches the mailbox', async () => (await triage.get('/readyz'))?.ok)
  return triage
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function filesIn(folder: string): string[] {
  const path = join(home, 'vault', folder)
  if (!existsSync(path)) return []
  return readdirSync(path)
    .filter((name) => name.endsWith('.md') && !name.startsWith('.'))
    .map((name) => readFileSync(join(path, name), 'utf8'))
}
function tasks() {
  return filesIn('Needs_Action/email').map((text) => {
    const parsed = parseTaskFile(text)
    if (!parsed.ok) throw new Error(parsed.problem)
    return parsed.task.front
  })
}
const titles = () => tasks().map(({ title }) => title)
const created = () =>
  readdirSync(join(home, 'vault/Logs/cloud'))
    .flatMap((name) =>
      readFileSync(join(home, 'vault/Logs/cloud', name), 'utf8')
        .trim()
        .split('\n'),
    )
    .filter((line) => parseLedgerLine(line)?.type === 'task.created').length

describe('mail in Gmail', () => {
  it('becomes tasks, also what came while triage was down, and the mailbox stays as it was', async () => {
    await gmail.deliver(letter('before'))
    const first = await watching()
    expect(titles()).toEqual(['before'])
    expect(tasks()[0]).toMatchObject({ source: { provider: 'gmail', account: OWNER, reply_to: ['ana@acme.test'] } })
    await stop(first.child)

    await gmail.deliver(letter('meanwhile'))
    await stop((await watching()).child)
    expect(titles().sort()).toEqual(['before', 'meanwhile'])

    // Neither without its memory nor without Gmail's history anything is lost or doubled.
    await gmail.deliver(letter('forgotten'))
    rmSync(join(home, 'state/triage.sqlite'))
    await stop((await watching()).child)
    await gmail.deliver(letter('unrecorded'))
    await gmail.forgetHistory()
    const last = await watching()
    expect(titles().sort()).toEqual(['before', 'forgotten', 'meanwhile', 'unrecorded'])
    expect((await last.get('/metrics'))?.text).toMatch(/countersign_mailbox_watched\{mailbox="main",.*\} 1/)

    for (const { labelIds } of await gmail.messages()) expect(labelIds).toEqual(['INBOX', 'UNREAD'])
    expect(gmail.calls.filter((call) => !/^GET |^POST \/token(?:info)?$/.test(call))).toEqual([])
  })

  it('is neither lost nor doubled when triage is killed again and again among it, and Gmail refuses at times', async () => {
    const subjects = Array.from({ length: 12 }, (_, n) => `mail-${n}`)
    for (const subject of subjects) await gmail.deliver(letter(subject))
    for (let kills = 0; kills < 2; kills++) {
      gmail.trouble(/messages\/msg/, { status: kills % 2 === 0 ? 429 : 503 })
      const triage = await startTriage()
      const goal = Math.min(titles().length + 4, subjects.length)
      await eventually('some more are done', () => titles().length >= goal)
      await stop(triage.child)
    }
    await watching()
    expect(titles().sort()).toEqual(subjects.toSorted())
    expect(created()).toBeGreaterThanOrEqual(subjects.length)
  })
})

describe('the token', () => {
  it('that could do more than read is refused by name, until there is a right one', async () => {
    await gmail.deliver(letter('waits'))
    const tooMuch = [...GMAIL_SCOPES.read, 'https://www.googleapis.com/auth/gmail.modify']
    writeFileSync(join(home, 'token'), await gmail.tokenFile(tooMuch), { mode: 0o600 })
    const triage = await startTriage()
    await eventually('readiness names the scope', async () =>
      (await triage.get('/readyz'))?.text.includes('may do too much: gmail.modify'),
    )
    expect(triage.log()).toContain('ERR_MAIL_AUTH')
    expect([gmail.calls.some((call) => call.includes('/gmail/')), titles()]).toEqual([false, []])
    writeFileSync(join(home, 'token'), await gmail.tokenFile(), { mode: 0o600 })
    await eventually('it is read', async () => (await triage.get('/readyz'))?.ok)
    expect(titles()).toEqual(['waits'])
    expect(triage.log()).not.toContain('the-client-secret')
  })

  it('that ends soon is told of once, and once more when it has ended', async () => {
    gmail.refreshTokenExpiresIn = 86_400
    const first = await watching()
    await eventually('the person is told', () => filesIn('Updates/cloud').length === 1)
    const [, expiry] =
      /token_expiry_timestamp_seconds\{mailbox="main",.*\} (\S+)/.exec((await first.get('/metrics'))?.text ?? '') ?? []
    expect(Math.abs(Number(expiry) - Date.now() / 1000 - 86_400)).toBeLessThan(120)
    await stop(first.child)
    await stop((await watching()).child)
    expect(filesIn('Updates/cloud')).toEqual([expect.stringContaining('countersign auth gmail --zone cloud')])

    gmail.isRevoked = true
    const last = await startTriage()
    await eventually('readiness says what to do', async () =>
      (await last.get('/readyz'))?.text.includes('run `countersign auth gmail --zone cloud`'),
    )
    await eventually('the person is told again', () => filesIn('Updates/cloud').length === 2)
    expect(filesIn('Updates/cloud').filter((text) => text.includes('not accepted any more'))).toHaveLength(1)
  })
})

it('of several mailboxes, one that is away is named and keeps no other waiting', async () => {
  await using office = await startDevMailServers()
  const { address, password } = office.accounts.owner
  const [free = 0] = await freePorts(1)
  const imap = { provider: 'imap', host: office.imap.host, tls: 'none' }
  writeFileSync(join(home, 'office-password'), password, { mode: 0o600 })
  writeFileSync(
    join(home, 'mailboxes.json'),
    JSON.stringify({
      mailboxes: [
        { ...imap, name: 'office', address, user: address, port: office.imap.port, password_file: 'office-password' },
        { ...imap, name: 'old', address, user: 'old', port: free, password_file: 'office-password' },
      ],
    }),
  )
  await gmail.deliver(letter('by-gmail'))
  await deliver(office, `From: Client <${office.accounts.client.address}>\nTo: ${address}\nSubject: by-imap\n\nx\n`)
  // What one of the owner's addresses writes to another is nothing to be answered.
  await gmail.deliver(letter('to-myself').replace('ana@acme.test', address))
  const triage = await startTriage({ COUNTERSIGN_MAILBOXES_FILE: join(home, 'mailboxes.json') })
  await eventually('both that answer are read', () => titles().length === 2)
  expect(titles().sort()).toEqual(['by-gmail', 'by-imap'])
  expect(Object.fromEntries(tasks().map(({ title, source }) => [title, source?.account]))).toEqual({
    'by-gmail': OWNER,
    'by-imap': address,
  })
  await eventually('readiness names the other', async () => {
    const answer = await triage.get('/readyz')
    return answer?.ok === false && /mailbox-old.*old@127\.0\.0\.1/s.test(answer.text)
  })
  await eventually('so do the metrics', async () => {
    const text = (await triage.get('/metrics'))?.text ?? ''
    const of = (name: string) => new RegExp(`mailbox_watched\\{mailbox="${name}",.*\\} (\\d)`).exec(text)?.[1]
    return [of('main'), of('office'), of('old')].join() === '1,1,0'
  })
})
