import { execFile } from 'node:child_process'
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ProofDocument } from '#core/proof.ts'
import { type ComposeZone, type ComposeZones, isDockerAnswering, prepareZones } from '#tests/support/compose.ts'
import { deliver, docker, eventually, lookInto } from '#tests/support/mail.ts'
import { imageSbom, lookIntoImage } from '../../scripts/sbom.ts'
import { tellInvoice } from './invoice.ts'

const run = promisify(execFile)
const QUESTION = `From: Clara Client <client@countersign.test>
To: Olivia Owner <owner@countersign.test>
Subject: Meeting on Thursday?
Message-ID: <question-1@countersign.test>
Date: ${new Date().toUTCString()}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Hello Olivia,

could we meet on Thursday at ten?

Clara
`
const EDITED = 'Hello Clara,\n\nThursday at ten suits me. I edited this line myself.\n\nOlivia'
/** No bound that is promised: those are measured by bench/, on a machine that does nothing else. */
const LIMIT_MS = 180_000
const PENDING = 'Pending_Approval/email/'
const NO_DOCKER = 'docker info does not answer: these tests run the zones in containers (npm test -- --without-docker)'

// One story, told in order: each test goes on where the one before ended.
describe('both zones in containers', () => {
  let zones: ComposeZones
  let cloud: ComposeZone
  let local: ComposeZone
  let name: string
  beforeAll(async () => {
    if (!(await isDockerAnswering())) throw new Error(NO_DOCKER)
    zones = await prepareZones()
    cloud = zones.cloud
    local = zones.local
  })
  let failed = false
  beforeEach(({ skip }) => skip(failed, 'the story ended before'))
  afterEach(({ task }) => {
    failed ||= task.result?.state === 'fail'
  })
  afterAll(async () => {
    if (failed) await tellWhatHappened()
    await zones?.[Symbol.asyncDispose]()
  })

  it('two empty machines become two zones that know each other, by options here and by answers there', async () => {
    const { shown } = zones.newcomer
    for (const { line, seconds } of shown)
      process.stderr.write(`newcomer: ${line.split(' ').slice(0, 4).join(' ')}: ${seconds.toFixed(1)} s\n`)
    const all = shown.map(({ text }) => text).join('\n')
    // Everything that can be tried by then is in order, and no step is said that does not belong to the way.
    expect(all.split('\n').filter((line) => line.startsWith('✗'))).toEqual([])
    expect(all).not.toContain(zones.mail.accounts.owner.password)
    expect(shown.map(({ text }) => /pairing +(.*)/.exec(text)?.[1])).toEqual([
      'the local zone is not known yet: that comes next',
      'knows the cloud zone',
      'knows the local zone',
    ])
  })

  it('the cloud zone comes up, every service healthy', async () => {
    await zones.up('cloud')
    expect(await health(cloud)).toEqual(
      Object.fromEntries([
        ...['drafter', 'egress', 'health', 'hub', 'prometheus', 'redis', 'sync', 'triage'].map((one) => [
          one,
          'running healthy',
        ]),
        // Without a check of their own.
        ...['node-exporter', 'redis-exporter'].map((one) => [one, 'running ']),
      ]),
    )
  })

  it('its images say of which release they are, and what is in them', async () => {
    const root = join(import.meta.dirname, '../..')
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const commit = { version, revision: 'a'.repeat(40), created: '2026-12-01T00:00:00Z' }
    for (const [name, whole] of [
      ['cloud', ['@bull-board/ui']],
      ['hub', []],
    ] as const) {
      const image = `countersign/${name}:${version}`
      const { stdout } = await run('docker', ['image', 'inspect', image, '--format', '{{json .Config.Labels}}'])
      expect(JSON.parse(stdout)).toMatchObject({
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.licenses': 'MIT',
        'org.opencontainers.image.title': expect.stringMatching(/^Countersign, /),
      })
      const look = await lookIntoImage(image)
      expect([...new Set(look.whole.map((one) => one.name))]).toEqual(whole)
      const names = imageSbom(name, look, { root, commit }).components.map((one) => one.name)
      expect(names).toEqual(expect.arrayContaining(['debian', 'node', 'git', 'zod', 'simple-git', ...whole]))
    }
  })

  it('a mail becomes a draft at the hub while the local zone is off', async () => {
    await deliver(zones.mail, QUESTION)
    const path = await eventually('the draft is at the hub', async () => (await hubFiles(PENDING))[0], LIMIT_MS)
    name = path.slice(PENDING.length)
    expect(name).toMatch(/^EMAIL_\d{4}-\d\d-\d\d_meeting-on-thursday_\w{6}\.md$/)
    expect((await hubFiles('Updates/cloud/')).length).toBeGreaterThan(0)
    expect(await hubFiles('Needs_Action/')).toEqual([])
    expect(await hubFiles('In_Progress/')).toEqual([])
  })

  it('the local zone comes up and shows the draft as a card of its own', async () => {
    await zones.up('local')
    expect(await health(local)).toEqual(
      Object.fromEntries(['drafter', 'executor', 'health', 'redis', 'sync'].map((one) => [one, 'running healthy'])),
    )
    const text = await eventually('the card is there', () => presentedCard(), LIMIT_MS)
    expect(text).toContain('client@countersign.test')
    expect(text).toContain('could we meet on Thursday at ten?')
    // Their own machine reaches the hub, the mailbox and the sending server, and nothing is in the way.
    expect(await zones.newcomer.run('local', 'npx countersign doctor')).toContain('All is well.')
    expect(await zones.newcomer.run('cloud', 'npx countersign doctor')).toMatch(
      /port \d+ +this zone's own hub has it[\s\S]*All is well\./,
    )
    const inside = await cloud.exec('sync', 'countersign', 'doctor')
    expect(inside).toMatch(/hub +ssh:\/\/git@hub:2222\S+ answers[\s\S]*All is well\./)
  })

  it('the hub is killed in mid-story and comes back by itself', async () => {
    const before = await startedAt(cloud, 'hub')
    // All but the container's init, this shell included: the call ends as killed.
    await cloud.exec('hub', 'sh', '-c', 'kill -KILL -1').catch(() => {})
    await eventually('another process runs', async () => (await startedAt(cloud, 'hub')) !== before, LIMIT_MS)
  })

  it('the person edits and approves; the mail arrives once, in its thread', async () => {
    const path = join(local.vault, PENDING, name)
    const text = await readFile(path, 'utf8')
    const edited = text.replace(
      /(<!-- countersign:draft -->\n)[\s\S]*?(\n<!-- countersign:\/draft -->)/,
      (_all, open: string, close: string) => open + EDITED + close,
    )
    expect(edited).not.toBe(text)
    await writeFile(path, edited)
    const shownAt = (one: string) => /presented:\n {2}digest: .*\n {2}at: (.*)/.exec(one)?.[1]
    await eventually(
      'a card of the edited draft',
      async () => shownAt(await readFile(path, 'utf8')) !== shownAt(text),
      LIMIT_MS,
    )
    const approved = await zones.newcomer.run('local', `npx countersign approve ${name}`)
    expect(approved).toMatch(/^Approved: .*client@countersign\.test/)

    await eventually('the task is done', async () => (await doneFiles(local)).includes(name), LIMIT_MS)
    const { messages } = await lookInto(zones.mail, 'client')
    const seconds = Math.round((performance.now() - zones.newcomer.begun) / 1000)
    process.stderr.write(
      `newcomer: from two empty machines to the first answer in the client's mailbox: ${seconds} s\n`,
    )
    expect(messages).toHaveLength(1)
    const source = messages[0]?.source ?? ''
    expect(source).toContain('I edited this line myself.')
    expect(source).toMatch(/^In-Reply-To: <question-1@countersign\.test>\r?$/m)
    expect(source).toMatch(/^References: .*<question-1@countersign\.test>/m)
    expect(source).toMatch(/^To: .*client@countersign\.test/m)
  })

  it('both ledgers verify, and the hub has it all', async () => {
    await eventually(
      'the hub has the outcome',
      async () => (await hubFiles('Done/')).some((one) => one.endsWith(name)),
      LIMIT_MS,
    )
    await eventually('the cloud has it, too', async () => (await doneFiles(cloud)).includes(name), LIMIT_MS)
    expect(await hubFiles(PENDING)).toEqual([])
    expect(await hubFiles('Approved/')).toEqual([])
    // It names what stays on the local machine, and so it stays there too.
    expect(await hubFiles('Dashboard.md')).toEqual([])
    for (const zone of [cloud, local]) {
      const report = (await zone.cli('audit', 'verify')) as {
        ok: boolean
        agents: { agent: string; entries: number }[]
      }
      expect(report.ok).toBe(true)
      expect(
        report.agents
          .filter(({ entries }) => entries > 0)
          .map(({ agent }) => agent)
          .sort(),
      ).toEqual(['cloud', 'local'])
    }
  })

  it('the local Redis cannot be reached from the cloud’s networks nor from other machines', async () => {
    const redis = await inspect(local, 'redis')
    const addresses = Object.values(redis.NetworkSettings.Networks).map(({ IPAddress }) => IPAddress)
    expect(addresses).toHaveLength(1)
    for (const address of addresses) {
      // The control: where it should, it answers.
      expect(await knock(local, 'executor', address)).toBe('connected')
      for (const service of ['triage', 'sync', 'hub', 'drafter'])
        expect(await knock(cloud, service, address)).toBe('no')
    }
    expect(await knock(cloud, 'triage', 'host.docker.internal')).toBe('no')
    expect(Object.values(redis.NetworkSettings.Ports).filter((bindings) => bindings !== null)).toEqual([])
    for (const { Service } of await local.containers()) {
      const { Ports } = (await inspect(local, Service)).NetworkSettings
      for (const bindings of Object.values(Ports))
        for (const { HostIp } of bindings ?? []) expect(HostIp).toBe('127.0.0.1')
    }
  })

  it('nothing of the cloud gets out but through egress, and through it only to the mailbox', async () => {
    const { NetworkSettings } = JSON.parse(await docker('inspect', zones.mail.container))[0] as Inspected
    const { IPAddress: address = '' } = NetworkSettings.Networks[`${cloud.project}_internet`] ?? {}
    // The control: the way out itself reaches it, and the internet where there is one.
    expect(await knock(cloud, 'egress', address, 143)).toBe('connected')
    for (const service of ['triage', 'drafter', 'sync', 'health', 'hub', 'redis'])
      for (const [host, port] of [
        [address, 143],
        [address, 587],
        ['1.1.1.1', 443],
      ] as const)
        expect([service, host, port, await knock(cloud, service, host, port)]).toEqual([service, host, port, 'no'])
    const ask = (place: string) => cloud.exec('triage', 'bash', '-c', askEgress(place))
    expect(await ask('mail:143')).toMatch(/^HTTP\/1\.1 200 /)
    for (const place of ['mail:587', 'mail:25', `${address}:143`, 'hub:2222', 'egress:8080', 'example.org:443'])
      expect([place, await ask(place)]).toEqual([place, expect.stringMatching(/^HTTP\/1\.1 403 /)])
  })

  it('the command line in the image tells how the zone is doing', async () => {
    expect(await local.exec('sync', 'countersign', 'status')).toMatch(/^local zone: ok/)
    expect(JSON.parse(await cloud.exec('sync', 'countersign', '--json', 'sync', '--now'))).toMatchObject({
      state: 'ok',
    })
  })

  it('the Node services of the cloud stay below 250 MB together', async () => {
    const services = ['triage', 'drafter', 'sync', 'health', 'egress']
    const ids = (await cloud.containers()).filter((one) => services.includes(one.Service)).map((one) => one.ID)
    // A heap shrinks when it is next collected; what counts is what a zone at rest holds.
    await eventually(
      'at most 250 MB',
      async () => {
        const used = (await docker('stats', '--no-stream', '--format', '{{.MemUsage}}', ...ids)).split('\n')
        const mebibytes = used.map((line) => Number(/^([\d.]+)MiB /.exec(line)?.[1]))
        return mebibytes.length === services.length && mebibytes.reduce((sum, one) => sum + one) * 1.048576 < 250
      },
      LIMIT_MS,
    )
  })

  it('the cloud proves that it cannot act: what it tries is refused', async () => {
    await cloud.exec('sync', 'countersign', '--json', 'sync', '--verify')
    const { verdict, lines, exitCode } = await prove()
    expect(lines.filter(({ result }) => result !== 'ok')).toEqual([])
    expect({ verdict, exitCode }).toEqual({ verdict: 'holds', exitCode: 0 })
    const tried = lines.map(({ check, found }) => `${check}: ${found}`).join('\n')
    for (const line of [
      'looked in triage, drafter, sync, egress, health',
      'mail:143: egress reaches it, triage, drafter, sync, health do not',
      'refused (local-only-path)',
      'email: search_emails, draft_email; odoo: get_data, create_draft; social: draft_post',
      'leads to what the settings name, and to no port by which mail is sent: mail:143',
    ])
      expect(tried).toContain(line)
  })

  it('a weakened cloud is found out: a secret for sending, Docker’s socket, a way out, a hub without rules', async () => {
    const secret = join(cloud.home, '..', 'smtp-password')
    await writeFile(secret, 'a password for sending', { mode: 0o644 })
    const over = join(cloud.home, '..', 'weakened.yml')
    const services = {
      // Under its own name triage would not even start with it.
      triage: { secrets: [{ source: 'smtp-password', target: 'smtp-relay' }] },
      drafter: { volumes: ['/var/run/docker.sock:/var/run/docker.sock'], networks: ['internet'] },
    }
    await writeFile(over, JSON.stringify({ services, secrets: { 'smtp-password': { file: secret } } }))
    await cloud.composeOver(over, 'up', '-d', '--no-deps', '--wait', 'triage', 'drafter')
    await cloud.exec('hub', 'rm', '/srv/hub/vault.git/hooks/pre-receive')
    const { verdict, lines, exitCode } = await prove()
    expect({ verdict, exitCode }).toEqual({ verdict: 'broken', exitCode: 1 })
    expect(lines.filter(({ result }) => result !== 'ok').map(({ found }) => found)).toEqual([
      expect.stringMatching(/^drafter: (\/var)?\/run\/docker\.sock/),
      'triage: /run/secrets/smtp-relay is a secret that acts',
      'drafter reaches mail:143',
      'its rules said nothing; only git refused it, as it could not be kept',
    ])
    // The hub writes its rules anew at each start.
    await cloud.compose('restart', '-t', '2', 'hub')
    await cloud.compose('up', '-d', '--wait', 'triage', 'drafter', 'hub')
    expect((await prove()).verdict).toBe('holds')
  })

  it('a hung service is ended by its own healthcheck and comes back', async () => {
    const before = await startedAt(cloud, 'drafter')
    // Everything in the container but its init and this shell.
    await cloud.exec('drafter', 'sh', '-c', 'kill -STOP -1')
    await eventually('another process runs', async () => (await startedAt(cloud, 'drafter')) !== before, LIMIT_MS)
    await eventually('it is healthy', async () => (await health(cloud)).drafter === 'running healthy', LIMIT_MS)
  })

  describe('a client asks for an invoice', () => tellInvoice(() => ({ zones, hubFiles })))

  it('a forged approval pushed with the cloud’s key is refused by the hub, and without its hook by the local zone', async () => {
    const { messages: before } = await lookInto(zones.mail, 'client')
    const clone = await forgedApproval()
    await expect(push(clone)).rejects.toThrow(/countersign: refused/)
    expect(await hubFiles('Approved/')).toEqual([])

    await cloud.exec('hub', 'rm', '/srv/hub/vault.git/hooks/pre-receive')
    await rebase(clone)
    await push(clone)
    expect((await hubFiles('Approved/')).length).toBe(1)
    await eventually(
      'the local gate has refused it',
      async () => (await ledger(local)).includes('gate.refused'),
      LIMIT_MS,
    )
    expect(await readdir(join(local.vault, 'Approved'))).toEqual([])
    expect((await lookInto(zones.mail, 'client')).messages).toHaveLength(before.length)
  })

  async function prove(): Promise<ProofDocument & { exitCode: number }> {
    const command = ['health', 'countersign', '--json', 'prove'] as const
    const { stdout, code } = await cloud.exec(...command).then(
      (said) => ({ stdout: said, code: 0 }),
      (error: { stdout: string; code: number }) => error,
    )
    return { ...(JSON.parse(stdout) as ProofDocument), exitCode: code }
  }

  async function health(zone: ComposeZone): Promise<Record<string, string>> {
    return Object.fromEntries((await zone.containers()).map((one) => [one.Service, `${one.State} ${one.Health}`]))
  }

  async function hubFiles(prefix: string): Promise<string[]> {
    const git = ['git', '--git-dir', '/srv/hub/vault.git']
    // Before its first push a hub has no main.
    if (!(await cloud.exec('hub', ...git, 'for-each-ref', 'refs/heads/main'))) return []
    const tree = await cloud.exec('hub', ...git, 'ls-tree', '-r', '--name-only', 'main')
    return tree.split('\n').filter((path) => path.startsWith(prefix))
  }

  async function presentedCard(): Promise<string | undefined> {
    const text = await readFile(join(local.vault, PENDING, name), 'utf8').catch(() => '')
    return text.includes('<!-- countersign:decision -->') && text.includes('presented:') ? text : undefined
  }

  async function doneFiles(zone: ComposeZone): Promise<string[]> {
    return readdir(join(zone.vault, 'Done'), { recursive: true }).then((paths) => paths.map((path) => path.slice(8)))
  }

  async function ledger(zone: ComposeZone): Promise<string> {
    const folder = join(zone.vault, 'Logs/local')
    const files = await readdir(folder)
    return (await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))).join('')
  }

  async function inspect(zone: ComposeZone, service: string): Promise<Inspected> {
    const container = (await zone.containers()).find((one) => one.Service === service)
    return JSON.parse(await docker('inspect', container?.ID ?? ''))[0]
  }

  async function startedAt(zone: ComposeZone, service: string): Promise<string> {
    return (await inspect(zone, service)).State.StartedAt
  }

  async function knock(zone: ComposeZone, service: string, host: string, port = 6379): Promise<string> {
    const script = `timeout 2 bash -c '</dev/tcp/${host}/${port}' 2>/dev/null && echo connected || echo no`
    return (await zone.exec(service, 'sh', '-c', script)).trim()
  }

  /** What someone with the cloud's keys could write: an approval of their own making, properly signed as the cloud. */
  async function forgedApproval(): Promise<string> {
    const clone = join(cloud.home, '..', 'forger')
    await git('.', 'clone', '-q', `ssh://git@127.0.0.1:${zones.hubPort}/srv/hub/vault.git`, clone)
    const [done = ''] = (await readdir(join(clone, 'Done'), { recursive: true })).filter((path) => path.endsWith('.md'))
    const text = await readFile(join(clone, 'Done', done), 'utf8')
    await mkdir(join(clone, 'Approved'))
    await writeFile(join(clone, 'Approved', 'EMAIL_2026-11-20_forged_zzzzzz.md'), text)
    for (const [key, value] of [
      ['user.name', 'cloud'],
      ['user.email', 'cloud@countersign.invalid'],
      ['gpg.format', 'ssh'],
      ['user.signingkey', join(cloud.home, 'keys/signing')],
    ] as const)
      await git(clone, 'config', key, value)
    await git(clone, 'add', '.')
    await git(clone, 'commit', '-q', '-S', '-m', 'approved')
    return clone
  }

  async function rebase(clone: string): Promise<void> {
    await git(clone, 'fetch', '-q', 'origin')
    await git(clone, 'reset', '-q', '--soft', 'origin/main')
    await git(clone, 'reset', '-q', '--', '.', ':!Approved')
    await git(clone, 'commit', '-q', '-S', '-m', 'approved')
  }

  function push(clone: string): Promise<string> {
    return git(clone, 'push', 'origin', 'HEAD:main')
  }

  async function git(cwd: string, ...args: string[]): Promise<string> {
    const ssh = ['ssh', '-F', '/dev/null', '-i', join(cloud.home, 'keys/deploy'), '-o', 'IdentitiesOnly=yes']
    const host = ['-o', `UserKnownHostsFile=${join(cloud.home, 'trust/known_hosts')}`, '-o', 'HostKeyAlias=[hub]:2222']
    const env = { ...process.env, GIT_SSH_COMMAND: [...ssh, ...host].join(' ') }
    return (await run('git', args, { cwd, env })).stdout
  }

  async function tellWhatHappened(): Promise<void> {
    for (const zone of [cloud, local]) {
      const said = await zone.compose('logs', '--no-color', '--tail', '40').catch((error: Error) => error.message)
      const file = join('/tmp', `${zone.project}.log`)
      await appendFile(file, said)
      process.stderr.write(`${zone.project}: its last log lines are in ${file}\n`)
    }
  }
})

/** The first line that the way out answers. */
function askEgress(place: string): string {
  return `exec 3<>/dev/tcp/egress/3128 && printf 'CONNECT ${place} HTTP/1.1\\r\\n\\r\\n' >&3 && read -r -t 5 line <&3 && echo "$line"`
}

interface Inspected {
  readonly State: { readonly StartedAt: string }
  readonly NetworkSettings: {
    readonly Networks: Record<string, { readonly IPAddress: string }>
    readonly Ports: Record<string, readonly { readonly HostIp: string }[] | null>
  }
}
