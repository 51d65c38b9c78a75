import { Queue } from 'bullmq'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { parseMail } from '#adapters/mime/parse-mail.ts'
import { connectRedis } from '#adapters/queue/redis.ts'
import { startWorker } from '#adapters/queue/worker.ts'
import { makeTaskId } from '#core/ids.ts'
import { parseTaskFile, renderTaskFile, section, ticksOf } from '#core/task-file.ts'
import { arrivingTask } from '#services/triage/arriving-task.ts'
import { CLIENT, makeHome, moveToApproved, readLedger, START, whereIs } from '#tests/support/executor.ts'

// What reaches us past git: jobs that anyone with Redis can add, and mail (docs/trust-gate.md).

describe('a job that somebody put into Redis (T13)', () => {
  const LIMIT = { timeout: 20_000, interval: 20 }
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  let redis: StartedTestContainer
  beforeAll(async () => {
    redis = await new GenericContainer('redis:8').withExposedPorts(6379).start()
  })
  afterAll(() => redis.stop())

  it('does nothing without a file that the person approved here', async () => {
    await using home = await makeHome()
    await using executor = await home.start()
    const { id, fileName } = await home.put('Pending_Approval/email')
    await executor.pass()
    const outcomes: string[] = []
    await using connection = await connectRedis(
      `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`,
      undefined,
      log,
    )
    const handlers = { 'execute-approved': () => executor.pass() }
    await using _worker = await startWorker(connection, 'execute', handlers, {
      log,
      onOutcome: (outcome) => outcomes.push(outcome),
    })
    const forger = new Queue('execute', { connection: connection.producer })
    const stranger = makeTaskId(START, new Uint8Array(10).fill(9))
    const forged: readonly (readonly [name: string, data: unknown])[] = [
      ['execute-approved', { taskId: id, generation: 1 }],
      ['execute-approved', { taskId: stranger, generation: 1 }],
      ['execute-approved', { taskId: id, generation: 1, to: ['thief@example.test'], approved: true }],
      ['send-email', { to: ['thief@example.test'], body: 'pay me' }],
      ['execute-approved', '../../Approved'],
    ]
    for (const [name, data] of forged) await forger.add(name, data, { attempts: 9 })
    await vi.waitFor(() => expect(outcomes).toHaveLength(forged.length), LIMIT)
    expect(outcomes.toSorted()).toEqual(['done', 'done', 'dropped', 'dropped', 'dropped'])
    expect(home.mail.delivered).toEqual([])
    expect(await whereIs(home, fileName)).toBe('Pending_Approval/email')

    // The same job, once the person has approved: what is sent is what they were shown.
    await moveToApproved(home, fileName)
    await forger.add('execute-approved', { taskId: id, generation: 1 })
    await vi.waitFor(() => expect(home.mail.delivered).toHaveLength(1), LIMIT)
    expect(home.mail.delivered[0]).toContain(`To: ${CLIENT}`)
    await vi.waitFor(() => expect(readLedger(home)).toContain('execution.done'), LIMIT)
    await forger.close()
  })
})

describe('a mail made for an editor’s plugins and for our own parser (T17, T18)', () => {
  const HOSTILE = [
    '```dataviewjs',
    'app.vault.adapter.write("Approved/x.md", "")',
    '```',
    '`$= dv.el("b", 1)`  `= this.file.name`',
    '```tasks',
    'filter by function task.file.path',
    '```',
    '<%* await tp.file.move("/Approved/x") %>',
    '{{value}} {{{x}}}',
    '![](https://beacon.example/pixel.png) ![[secret note]] <img src="https://beacon.example/p.png">',
    '<iframe src="obsidian://open?vault=x"></iframe> [x](command:workbench.action.terminal) javascript:alert(1)',
    '%%hidden%% <!-- countersign:decision -->',
    '- [x] Approve',
    '<!-- countersign:/decision -->',
    '---',
    'presented:',
    '  digest: sha256:aa',
    '---',
    '%YAML 1.1',
  ].join('\n')
  const raw = (subject: string, text: string) => {
    const lines = [
      'From: "client" <client@example.test>',
      'To: owner@example.test',
      `Subject: ${subject}`,
      'Message-ID: <hostile@example.test>',
      'Content-Type: text/plain; charset=utf-8',
      '',
      ...text.split('\n'),
      '',
    ]
    const source = Buffer.from(lines.join('\r\n'))
    return { receivedAt: START, size: source.length, source, declaredAttachments: [] }
  }

  it('becomes a task in which nothing of it is live', async () => {
    const mail = await parseMail(raw('---js <%* x %> {{y}} - [x] Approve', HOSTILE))
    const { task } = arrivingTask(mail, {
      ...{ id: makeTaskId(START, new Uint8Array(10)), account: 'owner@example.test', key: 'ab'.repeat(32) },
      ...{ thread: '<a@x>', domain: 'email', risk: [] },
    })
    const text = renderTaskFile(task)
    const parsed = parseTaskFile(text)
    if (!parsed.ok) throw new Error(parsed.problem)
    // Our own reader: one front matter, no decision, nothing that says it was shown.
    expect(parsed.task.front).not.toHaveProperty('presented')
    expect(ticksOf(parsed.task)).toEqual([])
    expect(section(parsed.task, 'decision')).toBeUndefined()
    // An editor: one fence that nothing of the mail closes, and no trigger even inside it.
    const original = section(parsed.task, 'original') ?? ''
    const [fence = ''] = original.split('\n')
    expect(fence).toMatch(/^`{3,}text$/)
    const inside = original.split('\n').slice(1, -1)
    expect(inside.filter((line) => line.startsWith(fence.replace('text', '')))).toEqual([])
    // The subject stays as it was written, for the reply; what Templater would run is not in it either.
    const [asWritten] = text.match(/^ {2}subject: .*$/m) ?? []
    expect(asWritten).toContain('{{y}}')
    expect(text).not.toContain('<%')
    expect(text.replace(asWritten ?? '', '')).not.toMatch(
      /%>|\{\{|\}\}|!\[|%%|<!-- countersign:decision|^- \[x\]|javascript:|obsidian:\/\/|https:\/\//m,
    )
  })
})
