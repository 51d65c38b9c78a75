import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addAgent, readAgents, trustHost } from '#adapters/keys/trust-files.ts'
import { createZoneKeys, publicIdentity, readPrivateKey } from '#adapters/keys/zone-keys.ts'
import { parseIdentity, sshFingerprint } from '#core/trust.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'countersign-keys-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const files = () =>
  Object.fromEntries(
    readdirSync(join(home, 'keys')).map((name) => [name, readFileSync(join(home, 'keys', name), 'utf8')]),
  )
const mode = (...path: string[]) => statSync(join(home, ...path)).mode & 0o777

describe('the keys of a zone', () => {
  it('are readable by their owner alone', async () => {
    await createZoneKeys(home, 'local')
    expect(Object.keys(files()).toSorted()).toEqual([
      'countersign.pem',
      'deploy',
      'deploy.pub',
      'ledger.pem',
      'signing',
      'signing.pub',
    ])
    expect(mode('keys')).toBe(0o700)
    for (const name of ['countersign.pem', 'deploy', 'ledger.pem', 'signing']) expect(mode('keys', name)).toBe(0o600)
  })

  it('of the cloud hold no countersigning key', async () => {
    const identity = await createZoneKeys(home, 'cloud')
    expect(identity.countersign).toBeNull()
    expect(Object.keys(files())).not.toContain('countersign.pem')
  })

  it('are never overwritten, and what is missing is added', async () => {
    const identity = await createZoneKeys(home, 'local')
    const before = files()
    rmSync(join(home, 'keys', 'signing.pub'))
    expect(await createZoneKeys(home, 'local')).toEqual(identity)
    expect(sshFingerprint(files()['signing.pub'] ?? '')).toBe(sshFingerprint(identity.signing))
    const { 'signing.pub': _before, ...others } = before
    expect(files()).toMatchObject(others)
  })

  it('give the fingerprint that ssh-keygen gives, and a pairing document that reads back', async () => {
    const identity = await createZoneKeys(home, 'local')
    const shown = execFileSync('ssh-keygen', ['-lf', join(home, 'keys', 'signing.pub')], { encoding: 'utf8' })
    expect(shown.split(' ')[1]).toBe(sshFingerprint(identity.signing))
    expect(parseIdentity(JSON.stringify(await publicIdentity(home, 'local')))).toEqual(identity)
  })

  it('are accepted by ssh-keygen, to read and to sign with', async () => {
    const identity = await createZoneKeys(home, 'cloud')
    for (const [name, key] of [
      ['signing', identity.signing],
      ['deploy', identity.deploy],
    ] as const) {
      const file = join(home, 'keys', name)
      const read = execFileSync('ssh-keygen', ['-y', '-P', '', '-f', file], { encoding: 'utf8' })
      expect(read).toBe(`${key} cloud ${name}\n`)
      expect(readFileSync(`${file}.pub`, 'utf8')).toBe(read)
      const signature = execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-n', 'git', '-f', file], { input: 'x' })
      expect(signature.toString()).toMatch(/^-----BEGIN SSH SIGNATURE/)
    }
  })

  it('keep a public half that fits: one without its private key is made anew with it', async () => {
    const before = await createZoneKeys(home, 'cloud')
    rmSync(join(home, 'keys', 'deploy'))
    rmSync(join(home, 'trust'), { recursive: true })
    const after = await createZoneKeys(home, 'cloud')
    expect(after.deploy).not.toBe(before.deploy)
    expect(after.signing).toBe(before.signing)
    const read = execFileSync('ssh-keygen', ['-y', '-f', join(home, 'keys', 'deploy')], { encoding: 'utf8' })
    expect(read).toBe(`${after.deploy} cloud deploy\n`)
  })

  it('that a person brought with a passphrase are refused, not replaced', async () => {
    await createZoneKeys(home, 'cloud')
    const file = join(home, 'keys', 'signing')
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'secret', '-f', file])
    rmSync(`${file}.pub`)
    const before = readFileSync(file, 'utf8')
    await expect(createZoneKeys(home, 'cloud')).rejects.toThrow(/signing has a passphrase/)
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  it('are refused without their content when they are damaged', async () => {
    const path = join(home, 'broken.pem')
    writeFileSync(path, '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n')
    await expect(readPrivateKey(path)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    await expect(readPrivateKey(path)).rejects.not.toThrow(/c2VjcmV0/)
  })
})

describe('trust', () => {
  it('grows by pairing, and a known agent’s keys are never replaced by it', async () => {
    const own = await createZoneKeys(home, 'local')
    const other = await createZoneKeys(join(home, 'other'), 'cloud')
    expect(await addAgent(join(home, 'trust'), other)).toBe('added')
    expect(await addAgent(join(home, 'trust'), other)).toBe('known')
    expect(await readAgents(join(home, 'trust'))).toEqual([other, own])

    const impostor = await createZoneKeys(join(home, 'impostor'), 'cloud')
    await expect(addAgent(join(home, 'trust'), impostor)).rejects.toThrow(/already trusted with other keys/)
    expect(await readAgents(join(home, 'trust'))).toEqual([other, own])
  })

  it('is none without agents.json, and an error with a damaged one', async () => {
    expect(await readAgents(join(home, 'trust'))).toEqual([])
    writeFileSync(join(home, 'agents.json'), '{"agents": [')
    await expect(readAgents(home)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
  })

  it('believes one key for a host, the latest given', async () => {
    const { signing, deploy } = await createZoneKeys(home, 'local')
    const trust = join(home, 'trust')
    await trustHost(trust, { host: 'hub.example', port: 22, hostKey: signing })
    await trustHost(trust, { host: 'hub.example', port: 2222, hostKey: signing })
    await trustHost(trust, { host: 'hub.example', port: 2222, hostKey: `${deploy} comment` })
    expect(readFileSync(join(trust, 'known_hosts'), 'utf8')).toBe(
      `hub.example ${signing}\n[hub.example]:2222 ${deploy}\n`,
    )
    await expect(trustHost(trust, { host: '* ', port: 22, hostKey: signing })).rejects.toThrow(/not a host/)
    await expect(trustHost(trust, { host: 'hub', port: 22, hostKey: 'nonsense' })).rejects.toThrow(/not a host/)
  })
})
