import { execFile } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { desktopNotifier } from '#adapters/notify/desktop.ts'
import { ntfyNotifier } from '#adapters/notify/ntfy.ts'
import { toldFile } from '#adapters/notify/told-file.ts'
import { webhookNotifier } from '#adapters/notify/webhook.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import type { Notice } from '#core/notice-to-person.ts'
import { vaultPath } from '#core/vault-path.ts'
import { makeDraft, OWNER } from '#tests/support/executor.ts'
import { EXECUTOR, ended, makeExecutorHome, startExecutor } from '#tests/support/executor-process.ts'
import type { Mailbox } from '../../demo/mailbox/mailbox.ts'
import { eventually } from '../support/mail.ts'

const NOTICE: Notice = {
  ...{ id: 'abc', at: '2026-11-20T12:00:00.000Z', isUrgent: true, count: 2, title: 'Countersign: 2 things need you' },
  lines: ['High risk: Änderung der IBAN 💶', 'Refused: -n --help; $(touch x) `id` <b>&amp;</b>'],
}
const never = new AbortController().signal

interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A real HTTP server that answers as it is told, or not at all. */
async function receiver(answer: { status: number; location?: string } | 'silence' = { status: 200 }) {
  const received: Received[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, body })
      if (answer === 'silence') return
      response.writeHead(answer.status, answer.location ? { location: answer.location } : {}).end('x'.repeat(100_000))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** Programs that write down what they are given, first on the PATH. */
function fakePrograms(script = 'exit 0'): { folder: string; said: (name: string) => string } {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-desktop-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const name of ['notify-send', 'osascript', 'powershell.exe']) {
    const file = join(folder, name)
    writeFileSync(file, `#!/bin/sh\n{ printf '[%s]\\n' "$@"; cat; } >'${join(folder, 'said')}-${name}'\n${script}\n`)
    chmodSync(file, 0o755)
  }
  const before = process.env.PATH
  process.env.PATH = `${folder}${delimiter}${before}`
  onTestFinished(() => {
    process.env.PATH = before
  })
  return { folder, said: (name) => readFileSync(join(folder, `said-${name}`), 'utf8') }
}

describe('ntfy', () => {
  test('gets topic, title, text and priority as JSON, with the token', async () => {
    const { received, url } = await receiver()
    await ntfyNotifier({ url: `${url}/sub/my%20topic`, token: () => 'tk_123' }).notify(NOTICE, never)
    expect(received).toHaveLength(1)
    expect(received[0]).toMatchObject({ path: '/sub', headers: { authorization: 'Bearer tk_123' } })
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      ...{ topic: 'my topic', title: NOTICE.title, message: NOTICE.lines.join('\n'), priority: 5, tags: ['memo'] },
    })
  })

  test('gets no token when none is set, and less than the highest priority for what can wait', async () => {
    const { received, url } = await receiver()
    await ntfyNotifier({ url: `${url}/topic` }).notify({ ...NOTICE, isUrgent: false }, never)
    expect(received[0]?.headers.authorization).toBeUndefined()
    expect([received[0]?.path, JSON.parse(received[0]?.body ?? '').priority]).toEqual(['/', 3])
  })

  test.each([
    ['refuses', { status: 403 }, /publishing to ntfy: it answered 403/],
    ['sends elsewhere', { status: 302, location: 'http://127.0.0.1:9/' }, /it answered 302/],
  ] as const)('that %s is a failure that does not tell the topic', async (_what, answer, found) => {
    const { url } = await receiver(answer)
    const attempt = ntfyNotifier({ url: `${url}/secret-topic`, token: () => 'tk_123' }).notify(NOTICE, never)
    const error = await attempt.then(
      () => undefined,
      (one: Error) => one,
    )
    expect(error).toMatchObject({ code: 'ERR_NOTIFY_FAILED', message: expect.stringMatching(found) })
    expect(error?.message).not.toMatch(/secret-topic|tk_123/)
  })

  test('that is not there is a failure, and one that hangs is let go of', async () => {
    const gone = ntfyNotifier({ url: 'http://127.0.0.1:9/topic' }).notify(NOTICE, never)
    await expect(gone).rejects.toMatchObject({ code: 'ERR_NOTIFY_FAILED' })
    const { url, received } = await receiver('silence')
    const stop = new AbortController()
    const hanging = ntfyNotifier({ url: `${url}/topic` }).notify(NOTICE, stop.signal)
    await vi.waitUntil(() => received.length > 0, { timeout: 10_000 })
    stop.abort()
    await expect(hanging).rejects.toMatchObject({ code: 'ERR_NOTIFY_FAILED' })
  })
})

describe('a webhook', () => {
  test('can verify who calls it and that nothing was changed', async () => {
    const { received, url } = await receiver({ status: 204 })
    const clock = { now: () => 1_795_000_000_999 }
    await webhookNotifier({ url: `${url}/hook?x=1`, secret: () => 'hush', clock }).notify(NOTICE, never)
    const [{ path, headers, body } = { path: '', headers: {}, body: '' }] = received
    expect([path, headers['x-countersign-timestamp']]).toEqual(['/hook?x=1', '1795000000'])
    const mac = createHmac('sha256', 'hush').update(`1795000000.${body}`).digest('hex')
    expect(headers['x-countersign-signature']).toBe(`sha256=${mac}`)
    expect(JSON.parse(body)).toEqual({
      ...{ schema: 1, id: 'abc', at: NOTICE.at, urgent: true, count: 2, title: NOTICE.title, lines: NOTICE.lines },
    })
  })

  test('whose secret cannot be read is not called', async () => {
    const { received, url } = await receiver()
    const secret = () => {
      throw new Error('no such file')
    }
    const attempt = webhookNotifier({ url, secret, clock: { now: () => 0 } }).notify(NOTICE, never)
    await expect(attempt).rejects.toThrow('no such file')
    expect(received).toEqual([])
  })
})

describe('the desktop', () => {
  const show = (platform: NodeJS.Platform, notice = NOTICE) =>
    desktopNotifier({ platform, isOptional: false }).notify(notice, never)

  test('gets the words as arguments that are no options, no shell and no markup', async () => {
    const { said } = fakePrograms()
    await show('linux')
    expect(said('notify-send')).toBe(
      [
        '[--app-name=Countersign]',
        '[--urgency=critical]',
        '[--]',
        '[Countersign: 2 things need you]',
        '[High risk: Änderung der IBAN 💶\nRefused: -n --help; $(touch x) `id` ‹b›＆amp;‹/b›]\n',
      ].join('\n'),
    )
  })

  test('of a Mac gets the words as arguments of a script that never changes', async () => {
    const { said } = fakePrograms()
    await show('darwin')
    const lines = said('osascript')
    expect(lines).toContain('[display notification (item 2 of argv) with title (item 1 of argv)]')
    expect(lines).toContain(`[end run]\n[${NOTICE.title}]\n[${NOTICE.lines.join('\n')}]`)
  })

  test('of Windows gets the words as ASCII JSON, apart from the script', async () => {
    const { said } = fakePrograms()
    await show('win32')
    const [, , , script = '', input = ''] = said('powershell.exe').split('\n')
    expect(Buffer.from(script.slice(1, -1), 'base64').toString('utf16le')).toContain('ConvertFrom-Json')
    expect(input).toMatch(/^[ -~]+$/)
    expect(JSON.parse(input)).toEqual({ title: NOTICE.title, body: NOTICE.lines.join('\n') })
  })

  test('that has no such program, or whose program fails, says so', async () => {
    const { folder } = fakePrograms("echo 'cannot open display' >&2; exit 1")
    await expect(show('linux')).rejects.toMatchObject({
      code: 'ERR_NOTIFY_FAILED',
      message: 'showing a notification with notify-send: cannot open display',
    })
    process.env.PATH = join(folder, 'nowhere')
    await expect(show('linux')).rejects.toMatchObject({ message: expect.stringContaining('no such program') })
  })
})

test('what was told is remembered for its owner alone, and a damaged memory is an empty one', async () => {
  const state = mkdtempSync(join(tmpdir(), 'countersign-told-'))
  onTestFinished(() => rmSync(state, { recursive: true }))
  expect(await toldFile(state).load()).toEqual({})
  const told = { ntfy: { lastAt: 5, keys: { 'task:1:1': 5 } } }
  await toldFile(state).save(told)
  expect(await toldFile(state).load()).toEqual(told)
  const mode = await new Promise((resolve) =>
    execFile('stat', ['-c', '%a', join(state, 'notified.json')], (_error, out) => resolve(out.trim())),
  )
  expect(mode).toBe('600')
  for (const text of [
    '',
    '[]',
    '{"ntfy":{"lastAt":"x","keys":{}}}',
    '{"ntfy":{"lastAt":1,"keys":{"a":"b"}}}',
    'null',
  ]) {
    writeFileSync(join(state, 'notified.json'), text)
    expect(await toldFile(state).load()).toEqual({})
  }
})

describe('the executor', () => {
  let redis: StartedTestContainer
  beforeAll(async () => {
    redis = await new GenericContainer('redis:8').withExposedPorts(6379).start()
  })
  afterAll(() => redis?.stop())

  test('tells of a forged approval by every way, once, though it is killed and started again', async () => {
    const away = { host: '127.0.0.1', port: 9 }
    const mailbox = {
      smtp: away,
      imap: away,
      accounts: { owner: { address: OWNER, password: 'x' } },
    } as unknown as Mailbox
    using made = await makeExecutorHome({
      ...{ mailbox, undoMs: 0 },
      redisUrl: `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`,
    })
    const [ntfy, webhook] = [await receiver(), await receiver()]
    const { said, folder } = fakePrograms()
    const secret = join(folder, 'secret')
    writeFileSync(secret, 'hush\n', { mode: 0o600 })
    const env = {
      ...made.env,
      PATH: `${folder}${delimiter}${made.env.PATH}`,
      COUNTERSIGN_NOTIFY_DESKTOP: 'on',
      COUNTERSIGN_NOTIFY_NTFY_URL: `${ntfy.url}/topic`,
      COUNTERSIGN_NOTIFY_WEBHOOK_URL: webhook.url,
      COUNTERSIGN_NOTIFY_WEBHOOK_SECRET_FILE: secret,
    }
    const vault = await openVault(made.home.vault)
    const forged = makeDraft()
    await vault.create(vaultPath(`Approved/${forged.fileName}`), forged.text)
    const running = await startExecutor(EXECUTOR, env)
    onTestFinished(() => void running.child.kill('SIGKILL'))
    const told = () => JSON.parse(readFileSync(join(made.home.state, 'notified.json'), 'utf8'))
    await eventually('every way was remembered', () => {
      try {
        return Object.keys(told()).length === 3
      } catch {
        return false
      }
    })
    const metrics = await (await fetch(`${running.url}/metrics`)).text()
    for (const way of ['desktop', 'ntfy', 'webhook'])
      expect(metrics).toMatch(new RegExp(`^countersign_notifications_total\\{way="${way}",outcome="sent".*\\} 1$`, 'm'))
    expect(said('notify-send')).toContain('[Refused: an approval was refused')
    expect(JSON.parse(ntfy.received[0]?.body ?? '').message).toContain('nothing like it had been shown to you')
    running.child.kill('SIGKILL')
    await ended(running)
    const remembered = told()

    const again = await startExecutor(EXECUTOR, env)
    onTestFinished(() => void again.child.kill('SIGKILL'))
    const next = makeDraft()
    const path = vaultPath(`Pending_Approval/email/${next.fileName}`)
    await vault.create(path, next.text)
    await eventually('the next card is on the dashboard', async () =>
      (await vault.read(vaultPath('Dashboard.md')))?.includes('2 wait for you'),
    )
    expect([ntfy.received.length, webhook.received.length]).toEqual([1, 1])
    expect(told()).toEqual(remembered)
  })
})
