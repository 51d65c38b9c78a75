import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest'
import { GATE_SOCKET } from '#adapters/git/hub.ts'
import { addAgent } from '#adapters/keys/trust-files.ts'
import type { Oid, RepoPort } from '#core/ports/repo.ts'
import type { AgentIdentity } from '#core/trust.ts'
import { startGate } from '#tests/support/gate-process.ts'
import { commitFiles, makeHub, makeZones, openClone, type Zones } from '#tests/support/git-zones.ts'

// The gate that stays says what the one says that is started for a push, and its absence lets nothing in. What both
// refuse is in gate-attacks.test.ts.
const NOTE = 'Updates/cloud/01K9ZZZZZZZZZZZZZZZZ7H3K9Q.md'
const NOT_ITS_OWN = { 'Dashboard.md': 'x\n' }

let zones: Zones
let hub: string
let cloud: RepoPort
let head: Oid
beforeAll(async () => {
  zones = await makeZones()
})
afterAll(() => zones[Symbol.dispose]())
beforeEach(async () => {
  hub = await makeHub(zones)
  const repo = await openClone(zones, 'cloud', hub)
  cloud = repo
  expect(await push({ [NOTE]: 'first\n' }, null)).toEqual(landed)
  return () => repo[Symbol.asyncDispose]()
})

/** Tells what became of one commit of these files. */
async function push(files: Record<string, string>, expected: Oid | null = head) {
  const commit = await commitFiles(cloud, expected, files)
  const outcome = await cloud.push({ commit, expected })
  if (outcome.kind === 'landed') head = commit
  return outcome
}
const landed = { kind: 'landed' }
const refused = {
  kind: 'rejected',
  cause: 'refused',
  reason: expect.stringMatching(/^countersign: refused \w{12} local-only-path: Dashboard\.md/),
}
/** The hook can start no gate for a push. */
const withoutProgram = () => {
  const hook = join(hub, 'hooks', 'pre-receive')
  writeFileSync(hook, readFileSync(hook, 'utf8').replace(/^exec .*$/m, 'exec /nonexistent \\\\'))
}

it('is asked by the hook, which then starts no program, and its word counts', async () => {
  await using _gate = await startGate(hub, zones.trustDir)
  withoutProgram()
  expect(await push({ [NOTE]: 'second\n' })).toEqual(landed)
  expect(await push(NOT_ITS_OWN)).toMatchObject(refused)
  expect(await push({ [NOTE]: 'third\n' })).toEqual(landed)
})

it('reads who is trusted at each push, and lets nothing in when it cannot', async () => {
  await using _gate = await startGate(hub, zones.trustDir)
  expect(await push({ [NOTE]: 'second\n' })).toEqual(landed)
  const file = join(zones.trustDir, 'agents.json')
  const trusted = readFileSync(file)
  onTestFinished(() => writeFileSync(file, trusted))
  writeFileSync(file, '{')
  expect(await push({ [NOTE]: 'third\n' })).toMatchObject({ reason: expect.stringContaining('gate-failed') })
  rmSync(file)
  await addAgent(zones.trustDir, zones.agents[1] as AgentIdentity)
  expect(await push({ [NOTE]: 'third\n' })).toMatchObject({ reason: expect.stringContaining('signature-unknown-key') })
  writeFileSync(file, trusted)
  expect(await push({ [NOTE]: 'third\n' })).toEqual(landed)
})

it('is done without when it was killed, and comes back to its place', async () => {
  const gate = await startGate(hub, zones.trustDir)
  await gate.kill()
  expect(existsSync(join(hub, GATE_SOCKET))).toBe(true)
  expect(await push({ [NOTE]: 'second\n' })).toEqual(landed)
  expect(await push(NOT_ITS_OWN)).toMatchObject(refused)
  await using _again = await startGate(hub, zones.trustDir)
  withoutProgram()
  expect(await push({ [NOTE]: 'third\n' })).toEqual(landed)
})

it.each<[string, (socket: Socket) => void]>([
  ['hangs up', (socket) => socket.destroy()],
  ['says nothing', (socket) => socket.end()],
  ['ends in the middle of a word', (socket) => socket.end('accepte')],
  ['ends before the line does', (socket) => socket.end('accepted')],
  ['says something else', (socket) => socket.end('yes\n')],
])('is not believed when whoever listens there %s', async (_what, answer) => {
  const server = createServer((socket) => void answer(socket.on('error', () => {})))
  await new Promise<void>((done) => server.listen(join(hub, GATE_SOCKET), done))
  try {
    expect(await push(NOT_ITS_OWN)).toMatchObject(refused)
    withoutProgram()
    expect(await push({ [NOTE]: 'second\n' })).toMatchObject({ kind: 'rejected' })
  } finally {
    server.close()
  }
})
