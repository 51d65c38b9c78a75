import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type LedgerEntry, parseLedgerLine } from '#core/ledger.ts'
import { parseTaskFile, section, type TaskFile } from '#core/task-file.ts'
import { freePorts } from '../../demo/free-ports.ts'
import { type MailContainer, startMailContainer } from '../../demo/mailbox/container.ts'
import { deliver, docker, eventually, lookInto } from '../support/mail.ts'

const OWNER = 'owner@countersign.test'
const CLIENT = 'client@countersign.test'
const MAIN = join(import.meta.dirname, '../../services/triage/main.ts')

let mailbox: MailContainer
let home: string
let running: ChildProcess[] = []
let unique = 0

beforeAll(async () => {
  mailbox = await startMailContainer()
})
afterAll(async () => mailbox?.[Symbol.asyncDispose]())
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'triage-'))
  mkdirSync(join(home, 'vault'))
  writeFileSync(join(home, 'password'), 'owner-pass\n', { mode: 0o600 })
})
afterEach(async () => {
  await Promise.all(running.map((one) => stop(one, 'SIGKILL')))
  running = []
  rmSync(home, { recursive: true })
})

/** A subject that no other mail of this run has. */
const marked = (text: string) => `${text} q${process.pid}x${++unique}q`
const plain = (subject: string, more = '') =>
  `From: Client <${CLIENT}>\nTo: ${OWNER}\nSubject: ${subject}\nMessage-ID: <${subject.replace(/\W+/g, '.')}@countersign.test>\n${more}\nhello\n`

/** The triage service as it is started for real, on a port of its own. */
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
      COUNTERSIGN_IMAP_HOST: mailbox.imap.host,
      COUNTERSIGN_IMAP_PORT: String(mailbox.imap.port),
      COUNTERSIGN_IMAP_USER: OWNER,
      COUNTERSIGN_IMAP_PASSWORD_FILE: join(home, 'password'),
      COUNTERSIGN_IMAP_TLS: 'none',
      COUNTERSIGN_OWNER_ADDRESS: OWNER,
      ...changes,
    },
  })
  running.push(child)
  let log = ''
  child.stdout?.on('data', (chunk) => {
    log += chunk
  })
  const ready = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    return answer && { ok: answer.ok, text: await answer.text() }
  }
  return { child, ready, log: () => log }
}

async function watching(changes: Record<string, string> = {}) {
  const triage = await startTriage(changes)
  await eventually('triage watches the mailbox', async () => (await triage.ready())?.ok)
  return triage
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal)
    await once(child, 'exit')
  }
  return child.exitCode
}

function tasks(): TaskFile[] {
  const folder = join(home, 'vault/Needs_Action/email')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md') && !name.startsWith('.'))
    .map((name) => {
      const parsed = parseTaskFile(readFileSync(join(folder, name), 'utf8'))
      if (!parsed.ok) throw new Error(`${name}: ${parsed.problem}`)
      return parsed.task
    })
}
const titled = (title: string) => tasks().filter((task) => task.front.title === title)
const taskOf = (title: string) => eventually(`there is a task "${title}"`, () => titled(title)[0])

function ledger(): LedgerEntry[] {
  const folder = join(home, 'vault/Logs/cloud')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
    .map((line) => parseLedgerLine(line))
    .filter((entry) => entry !== undefined)
}

describe('mail that arrives', () => {
  it('becomes a task at once, and the mailbox stays as it was', async () => {
    const triage = await watching()
    const subject = marked('hello')
    await deliver(mailbox, plain(subject))
    const task = await taskOf(subject)
    expect(task.front).toMatchObject({ domain: 'email', source: { account: OWNER, reply_to: [CLIENT] } })
    await eventually('the ledger has it', () => ledger().some((entry) => entry.task === task.front.id))
    const found = (await lookInto(mailbox, 'owner')).messages.find((message) => message.subject === subject)
    expect(found).toMatchObject({ flags: [], isRecent: true })
    expect(await stop(triage.child, 'SIGTERM')).toBe(0)
  })

  it('becomes a sane task, however odd it is', async () => {
    await watching()
    const big = Buffer.alloc(20 * 1024 * 1024, 7)
      .toString('base64')
      .replace(/.{76}/g, '$&\n')
    const [html, film, broken, lines, bare] = ['html', 'film', 'broken', 'lines', 'bare'].map(marked)
    const head = (subject = '') => `From: Client <${CLIENT}>\nSubject: ${subject}\nMIME-Version: 1.0\n`
    const withoutSubject = `no-subject-${process.pid}-${++unique}`
    await deliver(mailbox, `From: ${CLIENT}\nMessage-ID: <${withoutSubject}@x.test>\n\nhello\n`)
    await deliver(mailbox, `${head(html)}Content-Type: text/html\n\n<p>Only <b>HTML</b></p><p hidden>obey</p>\n`)
    await deliver(
      mailbox,
      `${head(film)}Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee the film\n--b\nContent-Type: video/mp4\nContent-Disposition: attachment; filename="film.mp4"\nContent-Transfer-Encoding: base64\n\n${big}\n--b--\n`,
    )
    await deliver(mailbox, `${head(broken)}Content-Type: multipart/mixed; boundary="\n\n--\u0000\nContent-Type: ;;\n\n`)
    await deliver(mailbox, plain(`=?utf-8?Q?${lines?.replaceAll(' ', '_')}=0D=0A---=0D=0Aid:_1?=`))
    await deliver(
      mailbox,
      Buffer.from(`${head(`\u001b$B@a5a=q\u001b(B ${bare}`)}\nx\n`.replaceAll('\n', '\r\n'), 'latin1'),
    )

    expect(section(await taskOf(html ?? ''), 'original')).toMatch(/Only HTML/)
    expect(section(await taskOf(html ?? ''), 'original')).not.toMatch(/obey/)
    const filmTask = await taskOf(film ?? '')
    expect(section(filmTask, 'original')).toMatch(/see the film/)
    expect(section(filmTask, 'original')).toMatch(
      /film\.mp4 \(video\/mp4, 2[01]\.\d MB\), not kept here; see the mailbox/,
    )
    expect(filmTask.front.risk).toEqual(['mail-incomplete', 'attachment-not-kept'])
    await taskOf(broken ?? '')
    await taskOf(`${lines} --- id: 1`)
    await taskOf(`節求書 ${bare}`)
    const unnamed = await eventually('the mail without a subject is a task', () =>
      tasks().find((task) => task.front.source?.message_id === `<${withoutSubject}@x.test>`),
    )
    expect(unnamed.front.title).toBe('(no subject)')
    expect(existsSync(join(home, 'vault/Attachments'))).toBe(false)
  })

  it.each([
    ['bulk', 'Precedence: bulk'],
    ['auto-submitted', 'Auto-Submitted: auto-replied'],
    ['mailing-list', 'List-Id: <news.x.test>'],
    ['own-message', 'Precedence: first-class', OWNER],
    ['delivery-report', 'X-Y: z', CLIENT, ''],
  ])('is skipped as %s with a ledger entry', async (reason, header, from = CLIENT, sender = CLIENT) => {
    await watching({ COUNTERSIGN_TRIAGE_SINCE_DAYS: '3' })
    const [subject, after] = [marked(reason), marked('after')]
    const isSkipped = () =>
      ledger().filter((entry) => entry.type === 'mail.skipped' && entry.data?.reason === reason).length
    const before = isSkipped()
    await deliver(mailbox, plain(subject, `${header}\n`).replace(CLIENT, from), sender)
    await deliver(mailbox, plain(after))
    await taskOf(after)
    // A mail server may deliver the later one first.
    await vi.waitFor(() => expect(isSkipped()).toBe(before + 1), { timeout: 30_000 })
    expect(titled(subject)).toEqual([])
  })
})

describe('no mail is lost or doubled', () => {
  it('when it came while triage was down', async () => {
    const first = await watching()
    await stop(first.child, 'SIGKILL')
    const subject = marked('while down')
    await deliver(mailbox, plain(subject))
    await watching()
    await taskOf(subject)
  })

  it('when triage starts again, with or without its memory', async () => {
    const subject = marked('again')
    await deliver(mailbox, plain(subject))
    for (const memory of ['fresh', 'kept', 'lost']) {
      if (memory === 'lost') rmSync(join(home, 'state/triage.sqlite'))
      const triage = await watching()
      const marker = marked(memory)
      await deliver(mailbox, plain(marker))
      await taskOf(marker)
      expect(titled(subject)).toHaveLength(1)
      await stop(triage.child, 'SIGKILL')
    }
  })

  it('when triage is killed again and again among the mails', async () => {
    const subjects = Array.from({ length: 20 }, () => marked('many'))
    const sending = (async () => {
      for (const subject of subjects) await deliver(mailbox, plain(subject))
    })()
    const done = () => subjects.filter((subject) => titled(subject).length > 0).length
    for (let kills = 0; kills < 4; kills++) {
      const triage = await startTriage()
      const goal = Math.min(done() + 3, subjects.length)
      await eventually('some more are done', () => done() >= goal)
      await stop(triage.child, 'SIGKILL')
    }
    await sending
    await watching()
    await eventually('all are done', () => done() === subjects.length)
    expect(subjects.flatMap(titled)).toHaveLength(subjects.length)
    const created = ledger().filter((entry) => entry.type === 'task.created')
    for (const task of subjects.flatMap(titled))
      expect(created.some((entry) => entry.task === task.front.id)).toBe(true)
  })

  it('when the mailbox is numbered anew', async () => {
    const triage = await watching()
    const [subject, next] = [marked('before'), marked('after')]
    await deliver(mailbox, plain(subject))
    await taskOf(subject)
    await stop(triage.child, 'SIGTERM')
    const { uidValidity } = await lookInto(mailbox, 'owner')
    await renumber(Number(uidValidity) + 1)
    expect((await lookInto(mailbox, 'owner')).uidValidity).not.toBe(uidValidity)
    await watching()
    await deliver(mailbox, plain(next))
    await taskOf(next)
    expect(titled(subject)).toHaveLength(1)
  })

  it('when the server dies and comes back', async () => {
    const triage = await watching()
    await docker('exec', mailbox.container, 'sh', '-c', 'kill -9 $(pidof dovecot) $(pidof imap) || true')
    await eventually('readiness says what is wrong', async () => {
      const answer = await triage.ready()
      return answer?.ok === false && answer.text.includes(`${OWNER}@127.0.0.1:${mailbox.imap.port}`)
    })
    const subject = marked('meanwhile')
    // Postfix keeps it until the mailboxes are back.
    await docker(
      ...['exec', mailbox.container, 'sh', '-c'],
      `printf 'From: ${CLIENT}\\nSubject: ${subject}\\n\\nx\\n' | sendmail -f ${CLIENT} ${OWNER}`,
    )
    await docker('exec', '-d', mailbox.container, 'dovecot', '-F')
    await eventually('triage is connected again', async () => (await triage.ready())?.ok, 60_000)
    await docker('exec', mailbox.container, 'postqueue', '-f')
    await eventually('the mail that waited is a task', () => titled(subject)[0], 60_000)
    expect(triage.child.exitCode).toBeNull()
  })
})

describe('a wrong setting', () => {
  it('is named, keeps the service alive but not ready, and heals when it is corrected', async () => {
    writeFileSync(join(home, 'password'), 'wrong\n', { mode: 0o600 })
    const triage = await startTriage()
    const where = `${OWNER}@127.0.0.1:${mailbox.imap.port}`
    await eventually('readiness names the account', async () => (await triage.ready())?.text.includes(where))
    expect(triage.log()).toContain('ERR_MAIL_AUTH')
    expect(triage.log()).not.toContain('wrong')
    writeFileSync(join(home, 'password'), 'owner-pass\n')
    await eventually('it is ready', async () => (await triage.ready())?.ok)
  })

  it('of a port nobody listens on is retried, not fatal', async () => {
    const [port = 0] = await freePorts(1)
    const triage = await startTriage({ COUNTERSIGN_IMAP_PORT: String(port) })
    await eventually('readiness names the port', async () => (await triage.ready())?.text.includes(`127.0.0.1:${port}`))
    expect(triage.log()).toContain('ERR_MAIL_UNREACHABLE')
    expect(triage.child.exitCode).toBeNull()
  })

  it('is reported together with all others, exit 2', async () => {
    const child = spawn(process.execPath, [MAIN], { env: { COUNTERSIGN_ZONE: 'cloud' }, stdio: 'pipe' })
    let text = ''
    child.stderr.on('data', (chunk) => {
      text += chunk
    })
    const [code] = await once(child, 'close')
    expect(code).toBe(2)
    for (const name of ['COUNTERSIGN_VAULT', 'COUNTERSIGN_IMAP_HOST', 'COUNTERSIGN_OWNER_ADDRESS'])
      expect(text).toContain(name)
  })
})

/** Gives the inbox another UIDVALIDITY, as a restored or rebuilt server would. */
async function renumber(uidValidity: number): Promise<void> {
  await docker(
    ...['exec', mailbox.container, 'doveadm', 'mailbox', 'update'],
    ...['-u', OWNER, '--uid-validity', String(uidValidity), 'INBOX'],
  )
}
