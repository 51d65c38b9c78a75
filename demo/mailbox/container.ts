import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePorts } from '../free-ports.ts'
import { type Endpoint, MAIL_ACCOUNTS, MAIL_DOMAIN, type Mailbox, type MailboxOptions } from './mailbox.ts'

const HOST = '127.0.0.1'
const IMAGE = 'countersign/mailserver'
/** Where the image is built from when it is not there. */
const RECIPE = join(import.meta.dirname, '../../tests/support/mailserver')
const START_LIMIT_MS = 60_000
const BUILD_LIMIT_MS = 600_000

export interface MailContainer extends Mailbox {
  /** Its name, for `docker exec`, `pause` and the like. */
  readonly container: string
}

/** Postfix and Dovecot in a container, on loopback ports that stay the same if it is stopped and started again. */
export async function startMailContainer(options: MailboxOptions = {}): Promise<MailContainer> {
  await ensureImage(options.say ?? (() => {}), options.buildLimitMs ?? BUILD_LIMIT_MS)
  const container = `countersign-mailbox-${randomBytes(6).toString('hex')}`
  const [smtpPort = 0, imapPort = 0] = await freePorts(2)
  const smtp: Endpoint = { host: HOST, port: smtpPort }
  const imap: Endpoint = { host: HOST, port: imapPort }
  const logins = Object.values(MAIL_ACCOUNTS).map(({ address, password }) => `${address.split('@')[0]}:${password}`)
  options.onContainer?.(container)
  const remove = () => docker(['rm', '-f', '-v', container]).catch(() => {}) // it never came to be, or is gone
  try {
    await docker([
      ...['run', '-d', '--name', container, '--label', 'countersign=mailbox', '--memory', '512m'],
      ...['-p', `${HOST}:${smtpPort}:587`, '-p', `${HOST}:${imapPort}:143`],
      ...['-e', `MAIL_DOMAIN=${MAIL_DOMAIN}`, '-e', `MAIL_ACCOUNTS=${logins.join(' ')}`, IMAGE],
    ])
    await Promise.all([greeted(smtp), greeted(imap)])
  } catch (error) {
    await remove()
    throw error
  }
  return {
    smtp,
    imap,
    accounts: MAIL_ACCOUNTS,
    container,
    describe: `a mail server (Postfix, Dovecot) in the container ${container} (SMTP ${smtpPort}, IMAP ${imapPort})`,
    async [Symbol.asyncDispose]() {
      await remove()
    },
  }
}

async function ensureImage(say: (line: string) => void, limitMs: number): Promise<void> {
  const isThere = await docker(['image', 'inspect', '-f', '{{.Id}}', IMAGE]).then(
    () => true,
    () => false,
  )
  if (isThere) return
  say(`building the mail server image ${IMAGE} once (a minute or two)`)
  await docker(['build', '-q', '-t', IMAGE, RECIPE], limitMs).catch((error: Error & { killed?: boolean }) => {
    const why = error.killed ? `not done within ${limitMs / 1000} s` : (error.message.split('\n')[1] ?? error.message)
    throw new Error(`building the image ${IMAGE}: ${why}`, { cause: error })
  })
}

async function docker(args: readonly string[], timeout = START_LIMIT_MS): Promise<string> {
  const { stdout } = await promisify(execFile)('docker', [...args], { timeout })
  return stdout.trim()
}

/** Docker accepts connections before the server does: only its greeting tells that it is up. */
async function greeted(endpoint: Endpoint): Promise<void> {
  const limit = AbortSignal.timeout(START_LIMIT_MS)
  while (!(await speaks(endpoint))) {
    if (limit.aborted) throw new Error(`no greeting from ${endpoint.host}:${endpoint.port} within ${START_LIMIT_MS} ms`)
    await delay(100)
  }
}

function speaks({ host, port }: Endpoint): Promise<boolean> {
  const socket = connect({ host, port })
  return new Promise<boolean>((resolve) => {
    socket.once('data', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.setTimeout(2_000, () => resolve(false))
  }).finally(() => socket.destroy())
}
