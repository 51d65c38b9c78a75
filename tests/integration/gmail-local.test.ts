import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GenericContainer } from 'testcontainers'
import { expect, it, onTestFinished } from 'vitest'
import { GMAIL_SCOPES } from '#adapters/gmail/gmail-scopes.ts'
import { createZoneKeys } from '#adapters/keys/zone-keys.ts'
import { EXECUTOR } from '../support/executor-process.ts'
import { startGmailEmulator } from '../support/gmail-emulator.ts'
import { eventually } from '../support/mail.ts'

const OWNER = 'owner@gmail.test'

it('the local zone reads Gmail with the token it sends with, and says on the dashboard that it ends soon', async () => {
  const root = mkdtempSync(join(tmpdir(), 'gmail-local-'))
  const redis = await new GenericContainer('redis:8').withExposedPorts(6379).start()
  const gmail = await startGmailEmulator(OWNER)
  let child: ChildProcess | undefined
  onTestFinished(async () => {
    if (child?.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
    await gmail[Symbol.asyncDispose]()
    await redis.stop()
    rmSync(root, { recursive: true })
  })
  for (const folder of ['vault', 'state']) mkdirSync(join(root, folder))
  await createZoneKeys(root, 'local')
  writeFileSync(join(root, 'token'), await gmail.tokenFile(GMAIL_SCOPES['read-and-send']), { mode: 0o600 })
  gmail.refreshTokenExpiresIn = 86_400
  const report = 'Content-Type: multipart/report; report-type=delivery-status; boundary=b\n'
  await gmail.deliver(`From: MAILER-DAEMON@gmail.test\nSubject: failed\nMessage-ID: <r@x.test>\n${report}\n--b--\n`)
  await gmail.deliver(`From: ana@acme.test\nSubject: a letter\nMessage-ID: <l@x.test>\n\nhello\n`)
  const folders = Object.fromEntries(
    ['vault', 'state', 'keys', 'trust'].map((name) => [`COUNTERSIGN_${name.toUpperCase()}`, join(root, name)]),
  )
  child = spawn(process.execPath, [EXECUTOR], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...{ PATH: process.env.PATH, ...folders },
      COUNTERSIGN_ZONE: 'local',
      COUNTERSIGN_HTTP_PORT: '0',
      COUNTERSIGN_REDIS_URL: `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`,
      COUNTERSIGN_MAIL_PROVIDER: 'gmail',
      COUNTERSIGN_MAILBOX_PROVIDER: 'gmail',
      COUNTERSIGN_GMAIL_TOKEN_FILE: join(root, 'token'),
      COUNTERSIGN_GMAIL_URL: gmail.url,
      COUNTERSIGN_OWNER_ADDRESS: OWNER,
      COUNTERSIGN_NOTIFY_DESKTOP: 'off',
    },
  })
  const dashboard = join(root, 'vault/Dashboard.md')
  await eventually('the dashboard tells what to run', () =>
    existsSync(dashboard) ? readFileSync(dashboard, 'utf8').includes('countersign auth gmail --zone local') : false,
  )
  // Of the letter, only its kind is looked at; the report is fetched.
  const asked = Map.groupBy(
    gmail.calls.filter((call) => /messages\/msg/.test(call)),
    (call) => call,
  )
  expect([...asked.values()].map((calls) => calls.length).sort()).toEqual([1, 3])
  expect(gmail.calls.filter((call) => !/^GET |^POST \/token(?:info)?$/.test(call))).toEqual([])
})
