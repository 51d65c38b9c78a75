import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { confirmationCode } from '#core/confirmation.ts'
import { makeTaskId } from '#core/ids.ts'
import { makeSign } from '#core/sign-of-life.ts'
import { makeStatus } from '#core/status.ts'
import { newTaskFile, parseTaskFile, renderSection, renderTaskFile } from '#core/task-file.ts'
import { taskFileName, taskPath } from '#core/vault-path.ts'
import { EXIT } from '../../cli/exit-codes.ts'

const MAIN = join(import.meta.dirname, '../../cli/main.ts')
const VERBS = [
  'init',
  'start',
  'demo',
  'mail',
  'status',
  'task',
  'review',
  'approve',
  'undo',
  'reject',
  'redraft',
  'attach',
  'post',
  'sync',
  'trust',
  'lock',
  'unlock',
  'credentials',
  'rotate',
  'auth',
  'audit',
  'logs',
  'notify',
  'mcp',
  'doctor',
]

type Answer = { code: number; stdout: string; stderr: string }

/** Runs the command line as a process of its own, without a terminal and without settings of this one. */
function countersign(args: readonly string[], cwd = tmpdir()): Promise<Answer> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME }
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { cwd, env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

let template = ''
beforeAll(async () => {
  template = await mkdtemp(join(tmpdir(), 'cli-'))
  await countersign(['init', 'local', '--home', join(template, 'local'), '--owner-address', 'me@example.test'])
  return () => rm(template, { recursive: true, force: true })
})

const ID = makeTaskId(Date.UTC(2026, 10, 20), new Uint8Array(10).fill(7))

/** A local home with one drafted task before the person. */
async function homeWithDraft(): Promise<{ home: string; file: string; id: string }> {
  const home = await mkdtemp(join(tmpdir(), 'cli-home-'))
  onTestFinished(() => rm(home, { recursive: true, force: true }))
  await cp(join(template, 'local'), home, { recursive: true })
  const task = newTaskFile(
    {
      id: ID,
      schema: '1',
      kind: 'EMAIL',
      domain: 'email',
      title: 'Invoice \u001b[31mfor March',
      created: '2026-11-20T00:00:00Z',
      generation: '1',
      action: {
        tool: 'email.send_email',
        account: 'me@example.test',
        to: ['ada@example.test'],
        subject: 'Re: Invoice',
      },
    } as never,
    [renderSection('decision', '- [ ] Approve\n- [ ] Reject\n- [ ] Redraft'), renderSection('draft', 'Hello'), ''].join(
      '\n',
    ),
  )
  const file = taskFileName({ kind: 'EMAIL', dayIso: '2026-11-20', title: 'Invoice', id: ID })
  const vault = await openVault(join(home, 'vault'))
  await vault.create(taskPath({ kind: 'pending', domain: 'email' }, file), renderTaskFile(task))
  return { home, file, id: ID.slice(-6).toLowerCase() }
}

test('init refuses faulty values, all at once, and writes nothing', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'cli-faults-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  const flags = ['--smtp-port', 'abc', '--imap-tls', 'maybe', '--owner-address', 'notanaddress', '--owner', 'x']
  const { code, stderr } = await countersign(['init', 'local', ...flags], cwd)
  expect(code).toBe(2)
  for (const fault of ['SMTP_PORT', 'IMAP_TLS', 'OWNER_ADDRESS', '--owner']) expect(stderr).toContain(fault)
  expect(await readdir(cwd)).toEqual([])
})

test('ends well when its reader has had enough', async () => {
  const child = spawn(process.execPath, [MAIN, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  expect([code, stderr]).toEqual([0, ''])
})

test('lists every verb and the exit codes in its help', async () => {
  const { code, stdout } = await countersign(['--help'])
  expect(code).toBe(0)
  for (const verb of VERBS) expect(stdout).toMatch(new RegExp(`^ {2}${verb}\\b`, 'm'))
  expect(stdout).toContain('5 not running')
})

test('documents every verb and exit code in docs/cli.md', async () => {
  const documented = await readFile(join(import.meta.dirname, '../../docs/cli.md'), 'utf8')
  for (const verb of VERBS) expect(documented).toMatch(new RegExp(`^### (.*, )?${verb}\\b`, 'm'))
  for (const code of Object.values(EXIT)) expect(documented).toMatch(new RegExp(`^\\| ${code} +\\|`, 'm'))
})

test.each(VERBS.map((verb) => [verb]))('%s --help shows an example, below its verbs if it has some', async (verb) => {
  const { code, stdout } = await countersign([verb, '--help'])
  const sub = /^Commands:\n {2}([\w-]+)/m.exec(stdout)?.[1]
  const isBelow = sub !== undefined && !stdout.includes('$ npx countersign ')
  const shown = isBelow ? (await countersign([verb, sub, '--help'])).stdout : stdout
  expect([code, shown]).toEqual([0, expect.stringContaining('$ npx countersign ')])
})

test.each([
  ['an unknown verb', ['frobnicate'], 2, 'ERR_USAGE'],
  ['an unknown option', ['status', '--frobnicate'], 2, 'ERR_USAGE'],
  ['a folder that is no home', ['status', '--home', '/nowhere'], 2, 'ERR_HOME_MISSING'],
  ['no home at all', ['status'], 2, 'ERR_HOME_MISSING'],
  ['a zone that is none', ['--zone', 'moon', 'status'], 2, 'ERR_USAGE'],
  ['a server that is none', ['mcp', 'telegram'], 2, 'ERR_USAGE'],
  ['a playground that does not run', ['mail', 'send'], 5, 'ERR_NOT_RUNNING'],
])('answers %s with its exit code and one JSON object', async (_what, args, code, error) => {
  const cwd = await mkdtemp(join(tmpdir(), 'cli-empty-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  const answer = await countersign(['--json', ...args], cwd)
  const { hint, ...rest } = JSON.parse(answer.stdout).error
  expect([answer.code, rest.code, answer.stderr]).toEqual([code, error, ''])
  expect(hint.length).toBeGreaterThan(10)
})

test('says what was tried, what was found and what to do, on stderr', async () => {
  const { stderr, stdout, code } = await countersign(['status', '--home', join(template, 'local')])
  expect([code, stdout]).toEqual([5, expect.stringMatching(/^local zone: not running\n\nNothing waits for you\./)])
  expect(stderr).toMatch(/ERR_NOT_RUNNING: reading .*status\.json: .*\n {2}Start the zone/)
})

test('status says when the hub was last reached and the other agents were last heard of', async () => {
  const home = await mkdtemp(join(tmpdir(), 'cli-status-'))
  onTestFinished(() => rm(home, { recursive: true, force: true }))
  await cp(join(template, 'local'), home, { recursive: true })
  const now = Date.now()
  const at = new Date(now).toISOString()
  const others = [
    makeSign({ agent: 'cloud', zone: 'cloud' }, { claimed: now - 200_000, seen: now - 199_000 }),
    makeSign({ agent: 'cloud-2', zone: 'cloud' }, undefined),
  ]
  const vault = { needs_action: 0, in_progress: {}, pending: 0, approved: 0, rejected: 0, done: 0 }
  const sync = { state: 'ok', at, hubReachedAt: at, others }
  const facts = { at, services: [], vault: { ...vault, conflicts: 0, halted: false }, sync }
  await writeFile(
    join(home, 'state/status.json'),
    JSON.stringify(makeStatus({ zone: 'local', agent: 'local', ...facts })),
  )
  const said = await countersign(['status', '--home', home])
  expect(said.stdout).toMatch(/^Sync: ok, .*; hub last reached \d+ s ago \(\d{4}-\d\d-\d\d \d\d:\d\dZ\)$/m)
  expect(said.stdout).toMatch(/^cloud: last heard of 3 min ago \(.*Z\)\ncloud-2 \(cloud zone\): never heard of$/m)
  expect(JSON.parse((await countersign(['status', '--json', '--home', home])).stdout).sync).toEqual(sync)
})

test('status shows what waits although nothing runs', async () => {
  const { home, file, id } = await homeWithDraft()
  const { code, stdout } = await countersign(['status', '--home', home])
  expect(code).toBe(5)
  expect(stdout).toMatch(new RegExp(`Waiting for you: 1\\n +${id.slice(-6).toLowerCase()} `))
  const answer = JSON.parse((await countersign(['status', '--json', '--home', home])).stdout)
  expect(answer.error.code).toBe('ERR_NOT_RUNNING')
  expect(answer.board.facts.waiting[0].path).toContain(file)
})

test('notify tells what is set, tries it, and is of the local zone only', async () => {
  const { home } = await homeWithDraft()
  const posted: string[] = []
  const server = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (chunk) => posted.push(chunk))
    request.on('end', () => response.writeHead(posted.length > 1 ? 500 : 200).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const settings = `COUNTERSIGN_NOTIFY_DESKTOP=off\nCOUNTERSIGN_NOTIFY_NTFY_URL=http://127.0.0.1:${port}/topic\n`
  await appendFile(join(home, '.env.local'), settings)
  const told = await countersign(['notify', '--home', home])
  expect([told.code, told.stdout]).toEqual([0, expect.stringMatching(/ntfy +nothing told yet/)])
  expect(posted).toEqual([])
  expect((await countersign(['notify', '--test', '--home', home])).code).toBe(0)
  expect(JSON.parse(posted.join(''))).toMatchObject({ topic: 'topic', title: 'Countersign: a test' })
  const failed = await countersign(['notify', '--test', '--json', '--home', home])
  expect([failed.code, JSON.parse(failed.stdout).findings[0].found]).toEqual([1, 'publishing to ntfy: it answered 500'])
})

test('asks which zone is meant when both are there', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'cli-both-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  await countersign(['init', 'cloud'], cwd)
  await countersign(['init', 'local'], cwd)
  expect((await countersign(['task', 'list'], cwd)).stderr).toContain('say --zone or --home')
  expect((await countersign(['task', 'list', '--zone', 'cloud'], cwd)).stdout).toBe('No open tasks.\n')
})

test('shows tasks without letting their text reach the terminal as codes', async () => {
  const { home, id } = await homeWithDraft()
  const list = await countersign(['task', 'list', '--home', home])
  expect(list.stdout).toContain(id)
  const shown = await countersign(['task', 'show', id, '--home', home])
  expect(`${list.stdout}${shown.stdout}`).not.toContain('\u001b')
})

test('approves by moving the file, and then refuses to reject it', async () => {
  const { home, file, id } = await homeWithDraft()
  const approved = await countersign(['approve', id, '--home', home, '--json'])
  expect(JSON.parse(approved.stdout)).toEqual({ task: ID, path: `Approved/${file}` })
  expect((await countersign(['approve', id, '--home', home])).code).toBe(4)
})

test('approves a high-risk task only with the code of its card, which it types into the file', async () => {
  const { home, file, id } = await homeWithDraft()
  const path = join(home, 'vault/Pending_Approval/email', file)
  const at = '2026-11-20T10:00:00.000Z'
  const code = confirmationCode({ digest: 'sha256:aa', at: Date.parse(at) })
  const card =
    '<!-- countersign:card -->\n> ⛔ **High risk:** a new account\\!\n>\n> ⚠ new to you\n<!-- countersign:/card -->\n'
  const text = (await readFile(path, 'utf8'))
    .replace('\n---\n', `\npresented:\n  digest: sha256:aa\n  at: ${at}\n---\n${card}`)
    .replace('- [ ] Redraft\n', '- [ ] Redraft\n\nCode:\n')
  await writeFile(path, text)
  const shown = JSON.parse((await countersign(['task', 'show', id, '--home', home, '--json'])).stdout)
  expect([shown.needs_code, shown.warnings]).toEqual([
    true,
    [
      { level: 'high', say: 'a new account!' },
      { level: 'notice', say: 'new to you' },
    ],
  ])
  for (const wrong of [[], ['--code', 'AAAAA']]) {
    const answer = await countersign(['approve', id, ...wrong, '--home', home])
    expect([answer.code, answer.stderr]).toEqual([4, expect.stringContaining('ERR_CODE_NEEDED')])
  }
  expect((await countersign(['approve', id, id, '--code', code, '--home', home])).code).toBe(2)
  expect((await countersign(['approve', id, '--code', code.toLowerCase(), '--home', home])).code).toBe(0)
  expect(await readFile(join(home, 'vault/Approved', file), 'utf8')).toBe(
    text.replace('\nCode:\n', `\nCode: ${code}\n`),
  )
})

test('rejects by moving the file', async () => {
  const { home, file, id } = await homeWithDraft()
  await countersign(['reject', id, '--home', home])
  expect(await readFile(join(home, 'vault/Rejected', file), 'utf8')).toContain('Hello')
})

test('redrafts by ticking the box and adding the notes', async () => {
  const { home, file, id } = await homeWithDraft()
  await countersign(['redraft', id, '--home', home, '--notes', 'Shorter.'])
  const text = await readFile(join(home, 'vault/Pending_Approval/email', file), 'utf8')
  expect(text).toContain('- [x] Redraft')
  expect(text).toContain('Shorter.')
})

test('attaches a file by its content, and no second one of its name', async () => {
  const { home, file, id } = await homeWithDraft()
  const offer = join(home, 'Angebot März.pdf')
  await writeFile(offer, '%PDF-1.7 offer')
  const answer = await countersign(['--json', 'attach', id, offer, '--home', home])
  const { attachment } = JSON.parse(answer.stdout)
  expect(attachment).toMatchObject({ name: 'Angebot März.pdf', size: '14', type: 'application/pdf' })
  expect(await readFile(join(home, 'vault', attachment.path), 'utf8')).toBe('%PDF-1.7 offer')
  const path = join(home, 'vault/Pending_Approval/email', file)
  const parsed = parseTaskFile(await readFile(path, 'utf8'))
  expect(parsed.ok && parsed.task.front.action?.attachments).toEqual([attachment])
  const before = await readFile(path, 'utf8')
  await writeFile(offer, 'another')
  expect((await countersign(['attach', id, offer, '--home', home])).code).toBe(2)
  expect((await countersign(['attach', id, join(home, 'nothing.pdf'), '--home', home])).code).toBe(2)
  expect((await countersign(['attach', id, home, '--home', home])).code).toBe(2)
  expect(await readFile(path, 'utf8')).toBe(before)
  await countersign(['approve', id, '--home', home])
  expect((await countersign(['attach', id, offer, '--name', 'b.pdf', '--home', home])).code).toBe(4)
})

test('refuses to approve what cannot be executed', async () => {
  const { home, file, id } = await homeWithDraft()
  const path = join(home, 'vault/Pending_Approval/email', file)
  await writeFile(path, (await readFile(path, 'utf8')).replace('\nHello\n', '\n\n'))
  const answer = await countersign(['approve', id, '--home', home])
  expect([answer.code, answer.stderr]).toEqual([1, expect.stringContaining('the draft is empty')])
})

test('decides on several at once: each by itself, a line each, and says in its exit code that one failed', async () => {
  const { home, file, id } = await homeWithDraft()
  const other = ID.replace(/.{6}$/, 'ABCDEF')
  const pending = join(home, 'vault/Pending_Approval/email')
  const second = file.replace(id, 'abcdef')
  await writeFile(join(pending, second), (await readFile(join(pending, file), 'utf8')).replace(ID, other))
  const rejected = await countersign(['reject', id, 'zzzzzz', 'abc', '--home', home, '--json'])
  expect([rejected.code, JSON.parse(rejected.stdout).results]).toEqual([
    3,
    [
      { reference: id, ok: true, task: ID, path: `Rejected/${file}` },
      { reference: 'zzzzzz', ok: false, error: expect.objectContaining({ code: 'ERR_TASK_NOT_FOUND' }) },
      { reference: 'abc', ok: true, task: other, path: `Rejected/${second}` },
    ],
  ])
  const again = await countersign(['approve', id, 'abcdef', '--home', home])
  expect([again.code, again.stdout.trim().split('\n')]).toEqual([
    4,
    [expect.stringContaining(`${id}: ERR_TASK_STATE`), expect.stringContaining('abcdef: ERR_TASK_STATE')],
  ])
  const both = await countersign(['redraft', id, 'nothing', '--home', home])
  expect(both.code).toBe(1)
})

test('takes the beginning of an id only where it fits one task', async () => {
  const { home, file, id } = await homeWithDraft()
  const pending = join(home, 'vault/Pending_Approval/email')
  const twin = `${id.slice(0, 3)}zzz`
  const text = (await readFile(join(pending, file), 'utf8')).replace(ID, ID.slice(0, -6) + twin.toUpperCase())
  await writeFile(join(pending, file.replace(id, twin)), text)
  expect((await countersign(['approve', id.slice(0, 3), '--home', home])).code).toBe(2)
  expect((await countersign(['approve', id.slice(0, 2), '--home', home])).code).toBe(3)
  expect((await countersign(['approve', id.slice(0, 4), '--home', home])).code).toBe(0)
})

test('finds no task of that name', async () => {
  const { home } = await homeWithDraft()
  expect((await countersign(['approve', 'zzzzzz', '--home', home])).code).toBe(3)
})

test('never decides in the cloud', async () => {
  const { home, id } = await homeWithDraft()
  const cloud = await mkdtemp(join(tmpdir(), 'cli-cloud-'))
  onTestFinished(() => rm(cloud, { recursive: true, force: true }))
  await countersign(['init', 'cloud', '--home', cloud])
  await cp(join(home, 'vault'), join(cloud, 'vault'), { recursive: true })
  const answer = await countersign(['approve', id, '--home', cloud, '--json'])
  expect([answer.code, JSON.parse(answer.stdout).error.code]).toEqual([4, 'ERR_ZONE_FORBIDDEN'])
})

test('doctor names every setting that is missing', async () => {
  const answer = await countersign(['doctor', '--home', join(template, 'local'), '--json'])
  const found = JSON.parse(answer.stdout)
    .findings.map((one: { found: string }) => one.found)
    .join('\n')
  expect(answer.code).toBe(1)
  for (const name of ['COUNTERSIGN_IMAP_HOST', 'COUNTERSIGN_SMTP_HOST', 'COUNTERSIGN_HUB_URL'])
    expect(found).toContain(name)
  expect(found).toContain('desktop (auto); `countersign notify --test` tries them')
})

test('verifies the ledgers of a new home', async () => {
  const answer = await countersign(['audit', 'verify', '--home', join(template, 'local'), '--json'])
  expect([answer.code, JSON.parse(answer.stdout).ok]).toEqual([0, true])
})

test('gathers what services logged about a task, with the ledger woven in', async () => {
  const { home, id } = await homeWithDraft()
  {
    const stateDir = join(home, 'state')
    using ledger = openLedger({ vaultRoot: join(home, 'vault'), stateDir, agent: 'local', clock: Date })
    await ledger.append('draft.presented', { task: ID, data: { digest: 'sha256:0123456789abcdef' } })
  }
  const line = (time: string, more: object) =>
    JSON.stringify({ time, zone: 'cloud', service: 'drafter', level: 'info', ...more })
  const log = join(home, 'cloud.log')
  await writeFile(
    log,
    [
      line('2026-11-20T10:00:02.000Z', { level: 'warn', task: ID, msg: 'a card \u001b[31mwas made' }),
      line('2026-11-20T10:00:01.000Z', { task: ID, msg: 'draft: drafted', outcome: 'drafted' }),
      line('2026-11-20T10:00:01.000Z', { task: `${ID.slice(0, -1)}0`, msg: 'of another' }),
    ].join('\n'),
  )
  const { code, stdout } = await countersign(['logs', id, '--file', log, '--home', home])
  expect(code).toBe(0)
  expect(stdout.split('\n').slice(0, 2)).toEqual([
    expect.stringMatching(/^2026-11-20 10:00:01.000Z +cloud\/drafter +draft: drafted \(outcome: drafted\)$/),
    expect.stringMatching(/^2026-11-20 10:00:02.000Z +cloud\/drafter +warn +a card +\[31mwas made$/),
  ])
  expect(stdout).toContain('shown to you')
  expect(stdout).not.toContain('of another')
})

test('tells the life of a task from the ledger alone, and exports all of it', async () => {
  const { home, id } = await homeWithDraft()
  {
    const stateDir = join(home, 'state')
    using ledger = openLedger({ vaultRoot: join(home, 'vault'), stateDir, agent: 'local', clock: Date })
    await ledger.append('draft.presented', { task: ID, data: { digest: 'sha256:0123456789abcdef' } })
    await ledger.append('mail.skipped', { data: { reason: '=HYPERLINK("x")', sender_domain: 'example.test' } })
    // `execution.done` would have to bear a receipt that verifies.
    await ledger.append('execution.refused', { task: ID, data: { reason: '550 \u001b[31mno' } })
  }
  const shown = await countersign(['audit', 'show', id, '--home', home])
  expect([
    shown.code,
    shown.stdout
      .trim()
      .split('\n')
      .map((line) => line.slice(22)),
  ]).toEqual([0, ['local  shown to you (fingerprint sha256:0123456789ab…)', 'local  not done: 550  [31mno']])
  const csv = await countersign(['audit', 'export', '--csv', '--home', home])
  expect([csv.code, csv.stdout.split('\n').length]).toEqual([0, 5])
  const lines = await countersign(['audit', 'export', '--since', '2026-01-01', '--home', home])
  expect(
    lines.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).type),
  ).toEqual(['draft.presented', 'mail.skipped', 'execution.refused'])
  const wrong = await countersign(['audit', 'export', '--since', 'yesterday', '--home', home])
  expect(wrong.code).toBe(2)
  const file = join(home, 'vault/Logs/local', `${new Date().toISOString().slice(0, 10)}.jsonl`)
  await writeFile(file, (await readFile(file, 'utf8')).replace('example.test', 'example.tset'))
  const edited = await countersign(['audit', 'show', id, '--home', home])
  expect([edited.code, edited.stdout]).toEqual([1, expect.stringContaining('do not believe this')])
})
