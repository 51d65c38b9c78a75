import { describe, expect, it } from 'vitest'
import type { Oid } from './ports/repo.ts'
import {
  type AgentIdentity,
  isRotated,
  parseIdentity,
  parseTrust,
  renderAuthorizedKeys,
  renderTrust,
  sshFingerprint,
  withCountersignKey,
  withoutAgent,
  withWithdrawn,
} from './trust.ts'

const ssh = (fill: string) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${fill.repeat(43)}`
const spki = (fill: string) => `MCowBQYDK2VwAyEA${fill.repeat(43)}=`
const cloud: AgentIdentity = {
  name: 'cloud',
  zone: 'cloud',
  signing: ssh('A'),
  deploy: ssh('B'),
  ledger: spki('A'),
  countersign: null,
}
const local: AgentIdentity = {
  name: 'local',
  zone: 'local',
  signing: ssh('C'),
  deploy: ssh('D'),
  ledger: spki('B'),
  countersign: spki('C'),
}

const AFTER = 'a'.repeat(40) as Oid
const oldCloud = { name: 'cloud', zone: 'cloud', signing: cloud.signing, ledger: cloud.ledger, after: AFTER } as const
const HUB = { shell: '/opt/hub-shell', repository: '/srv/my hub/vault.git' }

describe('trust/agents.json', () => {
  it('reads back what it writes, sorted by name', () => {
    expect(parseTrust(renderTrust({ agents: [local, cloud], revoked: [] }))).toEqual({
      agents: [cloud, local],
      revoked: [],
    })
    const trust = { agents: [local], revoked: [oldCloud] }
    expect(parseTrust(renderTrust(trust))).toEqual(trust)
  })

  it('without an agent keeps its signing key up to a commit, and opens nothing with its deploy key', () => {
    const trust = withoutAgent({ agents: [cloud, local], revoked: [] }, 'cloud', AFTER)
    expect(trust).toEqual({ agents: [local], revoked: [oldCloud] })
    expect(renderAuthorizedKeys(trust.agents, HUB)).not.toContain(cloud.deploy)
    expect(withoutAgent(trust, 'nobody', AFTER)).toEqual(trust)
    // The name may be given anew, with other keys.
    const renewed = { ...cloud, signing: ssh('E'), deploy: ssh('F'), ledger: spki('E') }
    expect(parseTrust(renderTrust({ ...trust, agents: [renewed, local] })).agents).toEqual([renewed, local])
  })

  it('of an older day keeps withdrawn what has been withdrawn since', () => {
    const older = { agents: [cloud, local], revoked: [] }
    const at = '2026-11-20T10:00:00.000Z'
    const rotated = withCountersignKey(older, 'local', spki('D'), at)
    expect(withWithdrawn(older, rotated)).toEqual(rotated)
    // Twice since, and known already of the first time.
    const twice = withCountersignKey(rotated, 'local', spki('E'), at)
    expect(withWithdrawn(rotated, twice)).toEqual({ ...twice, retired: twice.retired })
    // Rotated, then revoked whole; and a newer trust that does not know who has the key now.
    expect(withWithdrawn(older, withoutAgent(rotated, 'local', AFTER)).agents).toEqual([cloud])
    expect(withWithdrawn(older, { ...rotated, agents: [] }).agents).toEqual([cloud])
    expect(withWithdrawn(older, withoutAgent(older, 'cloud', AFTER))).toEqual({ agents: [local], revoked: [oldCloud] })
    expect(withWithdrawn(older, { agents: [], revoked: [] })).toEqual(older)
  })

  it.each<[string, unknown, RegExp]>([
    ['an unknown field', { ...cloud, admin: true }, /admin/i],
    ['a name that is no agent name', { ...cloud, name: 'Cloud;id' }, /name/],
    ['a name that Windows keeps for a device', { ...cloud, name: 'aux' }, /name/],
    ['an option in front of a key', { ...cloud, deploy: `command="sh" ${cloud.deploy}` }, /deploy/],
    ['a second line in a key', { ...cloud, deploy: `${cloud.deploy}\n${ssh('Z')}` }, /deploy/],
    ['another kind of key', { ...cloud, signing: 'ssh-rsa AAAAB3NzaC1yc2E' }, /signing/],
    ['a cloud that countersigns', { ...cloud, countersign: spki('C') }, /countersign/],
    ['a local zone that cannot', { ...local, countersign: null }, /countersign/],
  ])('refuses %s', (_what, identity, message) => {
    expect(() => parseIdentity(JSON.stringify(identity))).toThrow(message)
    expect(() => parseTrust(JSON.stringify({ agents: [identity] }))).toThrow(message)
  })

  it('with another countersigning key keeps the one before it', () => {
    const at = '2026-11-20T10:00:00.000Z'
    const trust = withCountersignKey({ agents: [cloud, local], revoked: [] }, 'local', spki('D'), at)
    const retired = [{ name: 'local', countersign: spki('C'), at }]
    expect(trust).toEqual({ agents: [cloud, { ...local, countersign: spki('D') }], revoked: [], retired })
    expect(parseTrust(renderTrust(trust))).toEqual(trust)
    expect(withCountersignKey(trust, 'local', spki('D'), at)).toEqual(trust)
    expect(withCountersignKey(trust, 'cloud', spki('E'), at)).toEqual(trust)
    const revoked = withoutAgent(trust, 'local', AFTER)
    expect(revoked).toMatchObject({ retired, revoked: [{ name: 'local', countersign: spki('D') }] })
    expect(parseTrust(renderTrust(revoked))).toEqual(revoked)
  })

  it('takes a pairing document for a rotation only when nothing else changed and the known key is retired in it', () => {
    const given = { ...local, countersign: spki('D') }
    const retired = [{ name: 'local', countersign: spki('C'), at: '2026-11-20T10:00:00.000Z' }]
    expect(isRotated(local, given, retired)).toBe(true)
    expect(isRotated(local, given, [])).toBe(false)
    expect(isRotated(local, given, [{ ...retired[0]!, countersign: spki('E') }])).toBe(false)
    expect(isRotated(local, given, [{ ...retired[0]!, name: 'other' }])).toBe(false)
    expect(isRotated(local, { ...given, signing: ssh('Z') }, retired)).toBe(false)
  })

  it.each<[string, unknown[], RegExp]>([
    ['a key retired twice', [spki('E'), spki('E')], /retired twice/],
    ['an agent with a retired key', [spki('C')], /countersigns with a retired key/],
  ])('refuses %s', (_what, keys, message) => {
    const retired = keys.map((countersign) => ({ name: 'local', countersign, at: '2026-11-20T10:00:00.000Z' }))
    expect(() => parseTrust(JSON.stringify({ agents: [local], retired }))).toThrow(message)
  })

  it.each<[string, AgentIdentity[], RegExp]>([
    ['one name twice', [cloud, { ...local, name: 'cloud' }], /share one name/],
    ['one signing key twice', [cloud, { ...local, signing: cloud.signing }], /share one signing/],
    ['a deploy key that also signs', [cloud, { ...local, deploy: cloud.signing }], /also a signing key/],
  ])('refuses %s', (_what, agents, message) => {
    expect(() => renderTrust({ agents, revoked: [] })).toThrow(message)
  })

  it.each<[string, unknown[], RegExp]>([
    ['an agent with a revoked signing key', [{ ...oldCloud, signing: local.signing }], /an agent has a revoked key/],
    ['an agent whose deploy key was revoked', [{ ...oldCloud, signing: local.deploy }], /an agent has a revoked key/],
    ['a key revoked twice', [oldCloud, { ...oldCloud, after: null }], /revoked twice/],
    ['a revocation up to no commit id', [{ ...oldCloud, after: 'HEAD' }], /not a commit id/],
    ['a revocation up to a day', [{ ...oldCloud, before: '2026-11-20' }], /before/],
  ])('refuses %s', (_what, revoked, message) => {
    expect(() => parseTrust(JSON.stringify({ agents: [local], revoked }))).toThrow(message)
  })
})

it('names a key as git and ssh-keygen do', () => {
  // ssh-keygen -lf on this public key.
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'
  expect(sshFingerprint(key)).toBe('SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU')
})

describe('authorized_keys', () => {
  it('ties each deploy key to the hub’s shell under the agent’s name', () => {
    const text = renderAuthorizedKeys([cloud, local], HUB)
    expect(text).toBe(
      `restrict,command="'/opt/hub-shell' cloud '/srv/my hub/vault.git'" ${cloud.deploy} cloud\n` +
        `restrict,command="'/opt/hub-shell' local '/srv/my hub/vault.git'" ${local.deploy} local\n`,
    )
  })

  it.each(['relative/shell', "/a'b", '/a"b', '/a\\b', '/a\nb'])('refuses the path %j', (shell) => {
    expect(() => renderAuthorizedKeys([cloud], { shell, repository: '/srv/vault.git' })).toThrow(/authorized_keys/)
  })
})
