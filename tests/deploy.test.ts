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
