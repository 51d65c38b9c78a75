import { describe, expect, it } from 'vitest'
import {
  type AgentIdentity,
  parseIdentity,
  parseTrust,
  renderAllowedSigners,
  renderAuthorizedKeys,
  renderTrust,
  sshFingerprint,
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

describe('trust/agents.json', () => {
  it('reads back what it writes, sorted by name', () => {
    expect(parseTrust(renderTrust([local, cloud]))).toEqual([cloud, local])
  })

  it.each<[string, unknown, RegExp]>([
    ['an unknown field', { ...cloud, admin: true }, /admin/i],
    ['a name that is no agent name', { ...cloud, name: 'Cloud;id' }, /name/],
    ['an option in front of a key', { ...cloud, deploy: `command="sh" ${cloud.deploy}` }, /deploy/],
    ['a second line in a key', { ...cloud, deploy: `${cloud.deploy}\n${ssh('Z')}` }, /deploy/],
    ['another kind of key', { ...cloud, signing: 'ssh-rsa AAAAB3NzaC1yc2E' }, /signing/],
    ['a cloud that countersigns', { ...cloud, countersign: spki('C') }, /countersign/],
    ['a local zone that cannot', { ...local, countersign: null }, /countersign/],
  ])('refuses %s', (_what, identity, message) => {
    expect(() => parseIdentity(JSON.stringify(identity))).toThrow(message)
    expect(() => parseTrust(JSON.stringify({ agents: [identity] }))).toThrow(message)
  })

  it.each<[string, AgentIdentity[], RegExp]>([
    ['one name twice', [cloud, { ...local, name: 'cloud' }], /share one name/],
    ['one signing key twice', [cloud, { ...local, signing: cloud.signing }], /share one signing/],
    ['a deploy key that also signs', [cloud, { ...local, deploy: cloud.signing }], /also a signing key/],
  ])('refuses %s', (_what, agents, message) => {
    expect(() => renderTrust(agents)).toThrow(message)
  })
})

it('names a key as git and ssh-keygen do', () => {
  // ssh-keygen -lf on this public key.
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'
  expect(sshFingerprint(key)).toBe('SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU')
})

it('lets signing keys sign commits and nothing else', () => {
  expect(renderAllowedSigners([cloud])).toBe(`cloud namespaces="git" ${cloud.signing}\n`)
})

describe('authorized_keys', () => {
  it('ties each deploy key to the hub’s shell under the agent’s name', () => {
    const text = renderAuthorizedKeys([cloud, local], { shell: '/opt/hub-shell', repository: '/srv/my hub/vault.git' })
    expect(text).toBe(
      `restrict,command="'/opt/hub-shell' cloud '/srv/my hub/vault.git'" ${cloud.deploy} cloud\n` +
        `restrict,command="'/opt/hub-shell' local '/srv/my hub/vault.git'" ${local.deploy} local\n`,
    )
  })

  it.each(['relative/shell', "/a'b", '/a"b', '/a\\b', '/a\nb'])('refuses the path %j', (shell) => {
    expect(() => renderAuthorizedKeys([cloud], { shell, repository: '/srv/vault.git' })).toThrow(/authorized_keys/)
  })
})
