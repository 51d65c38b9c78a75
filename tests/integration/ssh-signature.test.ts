import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { commitSignature, readSigningKey, signCommit, withSignature } from '#adapters/git/ssh-signature.ts'
import type { SshKeyPair } from '#core/openssh-key.ts'
import { sshFingerprint } from '#core/trust.ts'

// In process and by ssh-keygen: what the one signs, the other believes.

let dir: string
let key: SshKeyPair
let publicKey: string

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'countersign-signatures-'))
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'cloud', '-f', join(dir, 'key')])
  key = await readSigningKey(join(dir, 'key'))
  publicKey = readFileSync(join(dir, 'key.pub'), 'utf8')
  writeFileSync(join(dir, 'allowed'), `cloud namespaces="git" ${publicKey}`)
  git('init', '-q', '--bare', join(dir, 'repo.git'))
})
afterAll(() => rmSync(dir, { recursive: true }))

function git(...args: readonly string[]): string {
  const settings = { 'gpg.format': 'ssh', 'user.signingKey': join(dir, 'key'), 'user.name': 'x', 'user.email': 'x@y' }
  const all = { ...settings, 'gpg.ssh.allowedSignersFile': join(dir, 'allowed') }
  const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const env = { PATH: process.env.PATH, HOME: dir, GIT_DIR: join(dir, 'repo.git'), GIT_CONFIG_NOSYSTEM: '1' }
  return execFileSync('git', [...options, ...args], { env, encoding: 'utf8' })
}

function gitsVerdict(commit: Uint8Array): string {
  const path = join(dir, 'commit')
  writeFileSync(path, commit)
  const oid = git('hash-object', '-t', 'commit', '-w', path).trim()
  return git('log', '-1', '--format=%G? %GF', oid).trim()
}

it('git believes a commit that was signed here', () => {
  const fingerprint = sshFingerprint(publicKey)
  for (const message of ['Sync\n', 'Sync ✓\n\nNonce: 1\n', '', '\n\nx\n']) {
    const payload = Buffer.from(
      `tree ${git('mktree', '--missing').trim()}\nauthor x <x@y> 1 +0000\ncommitter x <x@y> 1 +0000\n\n${message}`,
    )
    const commit = withSignature(payload, signCommit(payload, key))
    expect(gitsVerdict(commit)).toBe(`G ${fingerprint}`)
    expect(commitSignature(commit)).toEqual({ state: 'good', fingerprint })
  }
})

it('a commit that git signed is believed here, and after a change by neither', () => {
  for (const message of ['Sync', 'Sync ✓\n\nNonce: 1', 'x'.repeat(5_000)]) {
    const oid = git('commit-tree', '-S', '-m', message, git('mktree').trim()).trim()
    const commit = execFileSync('git', ['--git-dir', join(dir, 'repo.git'), 'cat-file', 'commit', oid])
    expect(commitSignature(commit)).toEqual({ state: 'good', fingerprint: sshFingerprint(publicKey) })
    const changed = Buffer.from(commit.toString('latin1').replace(/\nauthor x/, '\nauthor y'), 'latin1')
    expect(gitsVerdict(changed)).toMatch(/^B/)
    expect(commitSignature(changed)).toEqual({ state: 'bad' })
  }
})

it('signs byte for byte as ssh-keygen does, and ssh-keygen believes it', () => {
  const payload = Buffer.from('any bytes \0\xff\n', 'latin1')
  const sign = spawnSync('ssh-keygen', ['-q', '-Y', 'sign', '-n', 'git', '-f', join(dir, 'key')], { input: payload })
  const signature = signCommit(payload, key)
  expect(signature).toBe(sign.stdout.toString())
  writeFileSync(join(dir, 'signature'), signature)
  const verify = ['-Y', 'verify', '-f', join(dir, 'allowed'), '-I', 'cloud', '-n', 'git', '-s', join(dir, 'signature')]
  expect(spawnSync('ssh-keygen', verify, { input: payload }).status).toBe(0)
  expect(spawnSync('ssh-keygen', verify, { input: 'other bytes' }).status).not.toBe(0)
})

it('a signature of ssh-keygen with other terms is bad', () => {
  const payload = Buffer.from(`tree ${'1'.repeat(40)}\nauthor x <x@y> 1 +0000\ncommitter x <x@y> 1 +0000\n\nx\n`)
  const sign = (...terms: string[]) =>
    spawnSync('ssh-keygen', ['-q', '-Y', 'sign', ...terms, '-f', join(dir, 'key')], {
      input: payload,
    }).stdout.toString()
  const stateOf = (signature: string) => commitSignature(withSignature(payload, signature)).state
  expect(stateOf(sign('-n', 'git'))).toBe('good')
  expect(stateOf(sign('-n', 'file'))).toBe('bad')
  expect(stateOf(sign('-n', 'git', '-O', 'hashalg=sha256'))).toBe('bad')
})

it('a signature by a key of another kind is bad', () => {
  const other = join(dir, 'ecdsa')
  execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', other])
  const payload = Buffer.from(`tree ${'1'.repeat(40)}\nauthor x <x@y> 1 +0000\ncommitter x <x@y> 1 +0000\n\nx\n`)
  const { stdout } = spawnSync('ssh-keygen', ['-q', '-Y', 'sign', '-n', 'git', '-f', other], { input: payload })
  expect(commitSignature(withSignature(payload, stdout.toString())).state).toBe('bad')
})

it.each([
  ['with a passphrase', ['-t', 'ed25519', '-N', 'secret'], /has a passphrase/],
  ['of another kind', ['-t', 'ecdsa', '-N', ''], /is no Ed25519 key/],
  ['of an older form', ['-t', 'rsa', '-m', 'PEM', '-N', ''], /is no OpenSSH private key/],
])('a key %s is refused', async (what, options, says) => {
  const file = join(dir, `refused-${what.replaceAll(' ', '-')}`)
  execFileSync('ssh-keygen', ['-q', ...options, '-f', file])
  await expect(readSigningKey(file)).rejects.toMatchObject({
    code: 'ERR_CONFIG_INVALID',
    message: expect.stringMatching(says),
  })
})
