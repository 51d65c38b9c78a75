import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { smtpSender } from '#adapters/smtp/smtp-sender.ts'
import { parseTaskFile, section, type TaskFile } from '#core/task-file.ts'
import { messagesIn } from '#core/thread-text.ts'
import type { MailContainer } from '../../demo/mailbox/container.ts'
import { deliver, docker, eventually, smtpAccount } from './mail.ts'

const OWNER = 'owner@countersign.test'
const TRIAGE = join(import.meta.dirname, '../../services/triage/main.ts')
/** Its children, too, also those that were born meanwhile: one of them would hold the port. */
const DOVECOT = 'dovecot imap imap-login auth anvil log config stats lmtp'
const KILL_DOVECOT = `while p=$(pidof ${DOVECOT}); do kill -9 $p; sleep 0.05; done; rm -f /run/dovecot/master.pid`
const AWAY_AT_MOST_MS = 120_000
const WORKER = join(import.meta.dirname, 'threads-worker-main.ts')

export interface ReplayMail {
  readonly thread: number
  readonly id: string
  /** A line that no other mail has. */
  readonly mark: string
  readonly raw: string
}

/**
 * Mails of many threads, shuffled: threads of one to twelve messages, answers before what they answer, one in ten twice,
 * a header that names the whole chain or, in one thread of three, only its ends.
 */
export function replayMails(count: number, random: () => number): ReplayMail[] {
  const mails: ReplayMail[] = []
  for (let thread = 0; mails.length < count; thread++) {
    const size = Math.min(1 + Math.floor(random() ** 3 * 12), count - mails.length)
    const isShort = thread % 3 === 0
    const ids = Array.from({ length: size }, (_, n) => `<t${thread}.m${n}.${Math.floor(random() * 1e9)}@client.test>`)
    for (const [n, id] of ids.entries()) {
      const chain = ids.slice(0, n)
      const references = isShort && n > 1 ? [chain[0], chain.at(-1)] : chain
      const mark = `mark-${thread}-${n}-end`
      const raw = [
        `From: Client ${thread} <client${thread}@client.test>`,
        `To: ${OWNER}`,
        `Subject: ${n > 0 ? 'Re: ' : ''}Matter ${thread}`,
        `Message-ID: ${id}`,
        ...(n > 0 ? [`In-Reply-To: ${chain.at(-1)}`, `References: ${references.join(' ')}`] : []),
        '',
        `Here is ${mark}.`,
        '',
      ].join('\n')
      mails.push({ thread, id, mark, raw })
    }
  }
  const twice = mails.filter(() => random() < 0.1)
  return shuffledNearby([...mails, ...twice], random)
}

/** Mail comes roughly in order. */
function shuffledNearby<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item, index) => ({ item, at: index + random() * 12 }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

export interface ReplayFigures {
  readonly mails: number
  readonly distinct: number
  readonly threads: number
  readonly kills: {
    readonly triage: number
    readonly worker: number
    readonly mailbox: number
    readonly memory: number
  }
  readonly joinedInPlace: number
  readonly joinedByFile: number
  readonly seconds: number
}

/**
 * Delivers the mails while triage and what works on its tasks are killed at random, at least `lives` times each, the mail
 * server dies and comes back, and triage's memory is lost; then waits until all has come to rest. Throws what is not as
 * it must be.
 */
export async function replay(
  mailbox: MailContainer,
  mails: readonly ReplayMail[],
  options: {
    readonly random: () => number
    readonly outages: number
    readonly lossOfMemory: number
    readonly lives: number
  },
): Promise<ReplayFigures> {
  const home = mkdtempSync(join(tmpdir(), 'replay-'))
  // Whoever submits while Dovecot is away ends an smtpd at its start; Postfix then starts none for a minute.
  await docker('exec', mailbox.container, 'postconf', '-e', 'service_throttle_time=1s')
  await docker('exec', mailbox.container, 'postfix', 'reload')
  const startedAt = Date.now()
  const { random } = options
  const kills = { triage: 0, worker: 0, mailbox: 0, memory: 0 }
  mkdirSync(join(home, 'vault'))
  mkdirSync(join(home, 'worker/local'), { recursive: true })
  writeFileSync(join(home, 'password'), 'owner-pass\n', { mode: 0o600 })
  const errors = openSync(join(home, 'errors'), 'a')
  const start = (file: string, args: string[]) =>
    spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'ignore', errors], env: environment(home, mailbox) })
  let isOver = false
  let isGivenUp = false
  let lives: Promise<unknown> = Promise.resolve()
  const restarting = async (file: string, args: string[], name: 'triage' | 'worker') => {
    while (!isGivenUp && (!isOver || kills[name] < options.lives)) {
      const child = start(file, args)
      // So that each life gets some way: triage takes most of a second to start.
      await Promise.race([delay(1_500 + random() * 3_000), once(child, 'exit')])
      await kill(child)
      kills[name]++
      if (name === 'triage' && kills.memory < options.lossOfMemory && random() < 0.3) {
        for (const one of ['triage', 'threads'])
          for (const end of ['', '-wal', '-shm']) rmSync(join(home, `state/${one}.sqlite${end}`), { force: true })
        kills.memory++
      }
    }
  }
  const outages = async () => {
    while (!isOver && kills.mailbox < options.outages) {
      await delay(1_000 + random() * 2_000)
      await docker('exec', mailbox.container, 'sh', '-c', KILL_DOVECOT)
      kills.mailbox++
      await delay(300 + random() * 500)
      let patience = 1_000
      await eventually(
        'the mail server is back',
        async () => {
          await docker('exec', mailbox.container, 'sh', '-c', KILL_DOVECOT)
          await docker('exec', '-d', mailbox.container, 'dovecot', '-F')
          await delay(patience)
          patience *= 2
          // It asks Dovecot whose password it is.
          return smtpSender(smtpAccount(mailbox, 'client'))
            .verify()
            .then(
              () => true,
              () => false,
            )
        },
        AWAY_AT_MOST_MS,
      )
    }
  }
  try {
    lives = Promise.all([restarting(TRIAGE, [], 'triage'), restarting(WORKER, [home], 'worker')])
    await Promise.all([outages(), deliverAll(mailbox, mails)])
    isOver = true
    await lives
    const last = [start(TRIAGE, []), start(WORKER, [home])]
    try {
      await eventually(
        'every mail stands in a task and all is at rest',
        async () => {
          await delay(500)
          // What met no Dovecot waits minutes in the queue otherwise, also what is being tried at this moment.
          await docker('exec', mailbox.container, 'postqueue', '-f')
          return faultsOf(home, mails).length === 0
        },
        300_000,
      ).catch((error: Error) => {
        const told = [...faultsOf(home, mails).slice(0, 20), readFileSync(join(home, 'errors'), 'utf8').slice(-2_000)]
        throw new Error(`${error.message}\n${told.join('\n')}`)
      })
    } finally {
      await Promise.all(last.map(kill))
    }
    const done = tasksIn(home).filter(({ path }) => path.startsWith('Done/'))
    const distinct = new Set(mails.map(({ id }) => id)).size
    const threads = new Set(mails.map(({ thread }) => thread)).size
    return {
      ...{ mails: mails.length, distinct, threads, kills, joinedByFile: done.length },
      ...{ joinedInPlace: distinct - threads - done.length, seconds: Math.round((Date.now() - startedAt) / 1000) },
    }
  } finally {
    isOver = true
    isGivenUp = true
    await lives
    rmSync(home, { recursive: true, force: true })
  }
}

/** A few at once; while the mail server is away, again. */
async function deliverAll(mailbox: MailContainer, mails: readonly ReplayMail[]): Promise<void> {
  for (const { raw } of mails)
    await eventually(
      'it is accepted',
      () =>
        deliver(mailbox, raw).then(
          () => true,
          () => false,
        ),
      AWAY_AT_MOST_MS,
    )
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function environment(home: string, mailbox: MailContainer): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    COUNTERSIGN_ZONE: 'cloud',
    COUNTERSIGN_VAULT: join(home, 'vault'),
    COUNTERSIGN_STATE: join(home, 'state'),
    COUNTERSIGN_HTTP_PORT: '0',
    COUNTERSIGN_IMAP_HOST: mailbox.imap.host,
    COUNTERSIGN_IMAP_PORT: String(mailbox.imap.port),
    COUNTERSIGN_IMAP_USER: OWNER,
    COUNTERSIGN_IMAP_PASSWORD_FILE: join(home, 'password'),
    COUNTERSIGN_IMAP_TLS: 'none',
    COUNTERSIGN_OWNER_ADDRESS: OWNER,
    COUNTERSIGN_LOG_LEVEL: 'error',
  }
}

interface Standing {
  readonly path: string
  readonly task: TaskFile
}

function tasksIn(home: string): Standing[] {
  const root = join(home, 'vault')
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\/EMAIL_[^/]*\.md$/.test(path) && existsSync(join(root, path)))
    .flatMap((path) => {
      try {
        const parsed = parseTaskFile(readFileSync(join(root, path), 'utf8'))
        return parsed.ok ? [{ path, task: parsed.task }] : []
      } catch {
        return [] // It has just moved on.
      }
    })
}

/** What is not as it must be in the end, a sentence each. */
function faultsOf(home: string, mails: readonly ReplayMail[]): string[] {
  const faults: string[] = []
  const open = new Map<string, { path: string; original: string; draft: string }[]>()
  for (const { path, task } of tasksIn(home)) {
    if (path.startsWith('Done/')) continue
    if (!path.startsWith('Pending_Approval/')) faults.push(`still on its way: ${path}`)
    const original = section(task, 'original') ?? ''
    const thread = /mark-(\d+)-/.exec(original)?.[1] ?? path
    open.set(thread, [...(open.get(thread) ?? []), { path, original, draft: section(task, 'draft') ?? '' }])
  }
  for (const [thread, tasks] of Map.groupBy(mails, (mail) => mail.thread)) {
    const of = open.get(String(thread)) ?? []
    if (of.length !== 1) faults.push(`thread ${thread} has ${of.length} open tasks: ${of.map(({ path }) => path)}`)
    const original = of[0]?.original ?? ''
    for (const mark of new Set(tasks.map((one) => one.mark))) {
      const times = original.split(`Here is ${mark}.`).length - 1
      if (times !== 1) faults.push(`${mark} stands ${times} times in the task of its thread`)
    }
    const answers = createHash('sha256').update(original).digest('hex')
    if (of.length === 1 && !of[0]?.draft.includes(answers)) faults.push(`the draft of thread ${thread} is of before`)
    if (messagesIn(original).length !== new Set(tasks.map(({ id }) => id)).size)
      faults.push(`thread ${thread}: other messages`)
  }
  return faults
}
