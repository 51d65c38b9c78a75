import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { AskDocker } from './doctor-docker.ts'
import { portFindings } from './doctor-ports.ts'

const NONE: AskDocker = async () => ({ said: '' })
const asked = (port: number) => [{ port, service: 'hub', hint: 'Stop it.' }]

/** Listening on this machine's loopback, as most programs that get in the way do. */
async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

test('a port that a program has is named with the program', async () => {
  const port = await takenPort()
  const found = expect.stringMatching(
    new RegExp(`^taken by .+ \\(process ${process.pid}\\); this zone's hub needs it$`),
  )
  expect(await portFindings('cloud', asked(port), NONE)).toEqual([
    { check: `port ${port}`, result: 'failed', found, hint: 'Stop it.' },
  ])
})

test('a port that nobody has is free', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  expect(await portFindings('cloud', asked(port), NONE)).toEqual([
    { check: `port ${port}`, result: 'ok', found: 'free for hub' },
  ])
})

test('a port that a container has is the zone’s own only when it is the service that is to have it', async () => {
  const container =
    (line: string): AskDocker =>
    async () => ({ said: line })
  const own = 'countersign-cloud-hub-1\t/opt/countersign/compose.cloud.yml\thub'
  expect(await portFindings('cloud', asked(2222), container(own))).toEqual([
    { check: 'port 2222', result: 'ok', found: "this zone's own hub has it" },
  ])
  for (const other of [
    'gitea\t/srv/gitea/compose.yml\thub',
    'gitea\t\t',
    'x\t/opt/countersign/compose.cloud.yml\tcaddy',
  ])
    expect(await portFindings('cloud', asked(2222), container(other))).toMatchObject([
      { result: 'failed', found: expect.stringMatching(/^taken by the container (gitea|x); /), hint: 'Stop it.' },
    ])
})

test('where Docker cannot be asked, a taken port is nobody’s fault yet', async () => {
  const port = await takenPort()
  const mute: AskDocker = async () => ({ said: '', problem: 'ENOENT' })
  expect(await portFindings('cloud', asked(port), mute)).toMatchObject([
    { result: 'skipped', found: expect.stringMatching(/^taken; /) },
  ])
})
