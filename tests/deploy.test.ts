import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const has = (command: string, ...args: string[]) => spawnSync(command, args).status === 0

interface CloudConfig {
  readonly packages: readonly string[]
  readonly write_files: readonly { readonly path: string; readonly content: string }[]
}
const config = parse(readFileSync(join(root, 'deploy/cloud-init.yaml'), 'utf8')) as CloudConfig
const file = (path: string) => {
  const found = config.write_files.find((one) => one.path === path)
  if (!found) throw new Error(`deploy/cloud-init.yaml writes no ${path}`)
  return found.content
}

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

test('what a new VM is given can be read by what it is for', () => {
  expect(config.packages).toEqual(expect.arrayContaining(['docker.io', 'docker-compose-v2', 'unattended-upgrades']))
  expect(JSON.parse(file('/etc/docker/daemon.json'))).toMatchObject({ 'live-restore': true })
  for (const { path, content } of config.write_files.filter(({ content }) => content.startsWith('#!/bin/sh'))) {
    const { status, stderr } = spawnSync('sh', ['-n'], { input: content, encoding: 'utf8' })
    expect({ path, status, stderr }).toEqual({ path, status: 0, stderr: '' })
  }
})

test('a new VM is told no secret, and lets in no port but those that the zone publishes to everybody', () => {
  const text = readFileSync(join(root, 'deploy/cloud-init.yaml'), 'utf8')
  expect(text).not.toMatch(/password:|passwd:|PRIVATE KEY|_token/i)
  expect(file('/etc/nftables.d/countersign.nft')).toContain('tcp dport { 22, 80, 443, 2222 } accept')
  for (const provider of ['aws', 'oracle']) {
    const plan = readFileSync(join(root, `deploy/terraform/${provider}/main.tf`), 'utf8')
    expect(plan).toContain('{ "the hub" = 2222, "certificates" = 80, "https" = 443 }')
    expect(plan).toContain('../../cloud-init.yaml')
  }
})

test.skipIf(!has('terraform', '-version'))('terraform reads both plans, and would not lay them out otherwise', () => {
  for (const provider of ['aws', 'oracle']) {
    const chdir = `-chdir=${join(root, 'deploy/terraform', provider)}`
    const env = { ...process.env, TF_CLI_CONFIG_FILE: '/dev/null' }
    const { status, stdout, stderr } = spawnSync('terraform', [chdir, 'fmt', '-check', '-diff'], {
      encoding: 'utf8',
      env,
    })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
  }
})

/** As Oracle's images have it, shortened. */
const ORACLE_RULES = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [463:49013]
:InstanceServices - [0:0]
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
-A OUTPUT -d 169.254.0.0/16 -j InstanceServices
-A InstanceServices -d 169.254.0.2/32 -p tcp -m owner --uid-owner 0 -m tcp --dport 3260 -j ACCEPT
-A InstanceServices -d 169.254.0.0/16 -p tcp -m tcp -j REJECT --reject-with tcp-reset
COMMIT
`
// Needs root: a network namespace of its own.
const mayTryRules = process.getuid?.() === 0 && has('iptables', '-V') && has('ip', 'netns')
test.skipIf(!mayTryRules)(
  'a provider’s own rules let in what ours do, and still guard its disks and metadata',
  async () => {
    const vm = `csor${process.pid}`
    const folder = scratch()
    const [rules, script] = [join(folder, 'rules.v4'), join(folder, 'countersign-provider-rules')]
    writeFileSync(rules, ORACLE_RULES)
    writeFileSync(script, file('/usr/local/sbin/countersign-provider-rules'))
    await run('ip', ['netns', 'add', vm])
    onTestFinished(async () => void (await run('ip', ['netns', 'del', vm])))
    const inside = (...command: string[]) => run('ip', ['netns', 'exec', vm, ...command])
    const rulesNow = async () => (await inside('iptables', '-S')).stdout.split('\n').filter((line) => /^-A/.test(line))
    const kept = [
      '-A FORWARD -i docker0 -j ACCEPT',
      '-A OUTPUT -d 169.254.0.0/16 -j InstanceServices',
      expect.stringMatching(/^-A InstanceServices -d 169\.254\.0\.2\/32 .*uid-owner 0 .*--dport 3260 -j ACCEPT$/),
      expect.stringMatching(/^-A InstanceServices -d 169\.254\.0\.0\/16 .*REJECT --reject-with tcp-reset$/),
    ]
    await inside('iptables-restore', rules)
    await inside('iptables', '-I', 'FORWARD', '-i', 'docker0', '-j', 'ACCEPT')
    expect(await rulesNow()).toHaveLength(8)
    await inside('sh', script, rules)
    expect(await rulesNow()).toEqual(kept)
    // The next start of the machine: what the file says.
    await inside('iptables-restore', rules)
    expect(await rulesNow()).toEqual(kept.slice(1))
  },
)

test('a new VM fetches the release that this is, and says what to do when there is none', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expect(file('/etc/countersign/source')).toContain(`COUNTERSIGN_VERSION=v${version}\n`)
  for (const name of ['deploy/bin/countersign', 'compose.cloud.yml', 'compose.local.yml']) {
    const text = readFileSync(join(root, name), 'utf8')
    const versions = [...text.matchAll(/countersign\/[a-z]+:(?:\$\{COUNTERSIGN_VERSION:-)?([\w.]+)/g)].map(
      ([, found]) => found,
    )
    expect([name, ...new Set(versions)]).toEqual([name, version])
  }
  const asked = ['refs/tags/$COUNTERSIGN_VERSION', 'origin/$COUNTERSIGN_VERSION', 'has no release or branch']
  const at = asked.map((text) => file('/usr/local/sbin/countersign-fetch').indexOf(text))
  expect(at).toEqual(at.toSorted((a, b) => a - b))
  expect(at[0]).toBeGreaterThan(0)
})

// Needs root: two network namespaces, the one with the firewall and a published port as Docker makes them.
const mayTryFirewall = process.getuid?.() === 0 && has('nft', '--version') && has('ip', 'netns')
test.skipIf(!mayTryFirewall)('the firewall of a new VM holds also for ports that Docker publishes', async () => {
  const [vm, outside] = [`csvm${process.pid}`, `csout${process.pid}`]
  const rules = join(scratch(), 'countersign.nft')
  writeFileSync(rules, file('/etc/nftables.d/countersign.nft'))
  const ip = (...args: string[]) => run('ip', args)
  const inside = (...args: string[]) => ip('netns', 'exec', vm, ...args)
  onTestFinished(async () => {
    for (const name of [vm, outside]) await ip('netns', 'del', name).catch(() => {})
  })
  for (const name of [vm, outside]) await ip('netns', 'add', name)
  await ip('link', 'add', 'cs0', 'netns', vm, 'type', 'veth', 'peer', 'name', 'cs1', 'netns', outside)
  await inside('ip', 'addr', 'add', '10.99.0.1/24', 'dev', 'cs0')
  await ip('netns', 'exec', outside, 'ip', 'addr', 'add', '10.99.0.2/24', 'dev', 'cs1')
  for (const [name, link] of [
    [vm, 'cs0'],
    [vm, 'lo'],
    [outside, 'cs1'],
  ] as const)
    await ip('netns', 'exec', name, 'ip', 'link', 'set', link, 'up')
  // As Docker publishes a port: its address is rewritten before any rule for the machine's own input is asked.
  await inside('nft', 'add table ip nat; add chain ip nat pre { type nat hook prerouting priority -100; }')
  await inside('nft', 'add rule ip nat pre tcp dport { 2222, 3000 } redirect to :9000')

  const reaches = async (port: number) => {
    const knock = `exec 3<>/dev/tcp/10.99.0.1/${port} && read -t 2 line <&3 && echo "$line"`
    const asked = run('timeout', ['3', 'ip', 'netns', 'exec', outside, 'bash', '-c', knock])
    return asked.then(
      ({ stdout }) => stdout.trim(),
      () => 'nothing',
    )
  }
  const server = `require('node:net').createServer((c) => c.end('here\\n')).listen(9000, () => console.log('listens'))`
  const child = execFile('ip', ['netns', 'exec', vm, process.execPath, '-e', server])
  onTestFinished(() => void child.kill())
  await new Promise((resolve) => child.stdout?.once('data', resolve))
  expect([await reaches(2222), await reaches(3000), await reaches(9000)]).toEqual(['here', 'here', 'here'])
  await inside('nft', '-f', rules)
  expect([await reaches(2222), await reaches(3000), await reaches(9000)]).toEqual(['here', 'nothing', 'nothing'])
})
