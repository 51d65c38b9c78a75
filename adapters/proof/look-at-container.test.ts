import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startEgress } from '#adapters/egress/egress-proxy.ts'
import { SOURCES_MARK } from '#core/acting-code.ts'
import { lookAtContainer } from './look-at-container.ts'

/** A container's file system, as far as it is looked at. */
function container(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'countersign-look-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

const NOTHING = { settings: [], outside: [], askedOfEgress: [] }
const TCP = '  sl  local_address rem_address   st tx_queue\n'
const row = (local: string, state: string) => `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000\n`

test('what lies in a container is told by name, and nothing of what is in it', async () => {
  const root = container({
    'run/secrets/imap-password': 'never to be told',
    'run/secrets/openai-key': '',
    'zone/keys/signing': 'never to be told',
    'zone/secrets/old/smtp-password': 'never to be told',
    'zone/.env.cloud': 'never to be told',
    'zone/vault/note.md': 'no secret',
    'app/triage.mjs': `code\n${SOURCES_MARK}["core/errors.ts","adapters/smtp/smtp-sender.ts"]\n`,
    'app/other.mjs': 'code of somebody else',
    'usr/bin/chromium': '',
    'proc/self/status': 'Name:\tnode\nUid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000000400\nNoNewPrivs:\t1\n',
    'proc/self/mountinfo':
      '1 0 0:1 / / rw - overlay overlay rw\n2 1 0:2 /docker.sock /zone/harmless rw - tmpfs tmpfs rw\n3 1 0:2 /x /run/podman/podman.sock rw - tmpfs tmpfs rw\n',
    'proc/net/tcp':
      TCP +
      row('00000000:1F90', '0A') +
      row('0B00007F:9C40', '0A') +
      row('0100007F:2328', '0A') +
      row('020011AC:D431', '01'),
    'proc/net/tcp6':
      TCP + row('00000000000000000000000001000000:0BB8', '0A') + row('00000000000000000000000000000000:1A0A', '0A'),
  })
  const look = await lookAtContainer({ ...NOTHING, settings: ['COUNTERSIGN_ZONE', 'HOME'], root })
  expect(look).toEqual({
    secrets: [
      { path: '/run/secrets/imap-password', isEmpty: false },
      { path: '/run/secrets/openai-key', isEmpty: true },
      { path: '/zone/.env.cloud', isEmpty: false },
      { path: '/zone/keys/signing', isEmpty: false },
      { path: '/zone/secrets/old/smtp-password', isEmpty: false },
    ],
    settings: ['COUNTERSIGN_ZONE'],
    sockets: ['/zone/harmless', '/run/podman/podman.sock'],
    ...{ uid: 1000, capabilities: '0000000000000400', noNewPrivileges: true },
    sources: [
      { program: 'other.mjs', files: [] },
      { program: 'triage.mjs', files: ['core/errors.ts', 'adapters/smtp/smtp-sender.ts'] },
    ],
    browsers: ['/usr/bin/chromium'],
    ports: [0x1a0a, 0x1f90],
    ...{ direct: [], through: [] },
  })
  expect(JSON.stringify(look)).not.toContain('never to be told')
})

test('ways out are tried: past the proxy, and through it', async () => {
  const target = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void target.close())
  const { port } = target.address() as AddressInfo
  const egress = await startEgress({ reach: [{ host: 'localhost', port }], host: '127.0.0.1', port: 0 })
  onTestFinished(() => egress[Symbol.asyncDispose]())
  const look = await lookAtContainer({
    ...{ ...NOTHING, root: container({}) },
    outside: [`127.0.0.1:${port}`, '127.0.0.1:1'],
    egress: `127.0.0.1:${egress.port}`,
    askedOfEgress: ['prove.countersign.invalid:25', `localhost:${port}`],
  })
  expect(look.direct).toEqual([
    { place: `127.0.0.1:${port}`, outcome: 'connected' },
    { place: '127.0.0.1:1', outcome: 'ECONNREFUSED' },
  ])
  expect(look.through).toEqual([
    { place: 'prove.countersign.invalid:25', outcome: '403' },
    { place: `localhost:${port}`, outcome: '200' },
  ])
})
