import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Zone } from '#core/zone-policy.ts'
import { homeLayout } from '../zone-home.ts'
import { nextSteps } from './next-steps.ts'

async function steps(
  zone: Zone,
  knows: readonly string[],
  hubUrl?: string,
  settings: Record<string, string> = {},
): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'next-steps-'))
  onTestFinished(() => rm(root, { recursive: true }))
  const home = homeLayout(root, zone, settings)
  const report = { home, steps: [], pairingFile: join(root, 'pairing.json'), knows, ...(hubUrl && { hubUrl }) }
  await writeFile(report.pairingFile, '{"schema":"countersign-pairing/1"}')
  return (await nextSteps(report, [])).join('\n').replaceAll(root, 'HOME')
}

test('tells where the pairing file goes, and nothing to start yet', async () => {
  const text = await steps('cloud', ['cloud'], 'ssh://git@vm.example.org:2222/srv/hub/vault.git')
  expect(text).toMatch(
    /^on your own machine, in its checkout of Countersign: npx countersign init local --pair cs1-\S+\n/m,
  )
  expect(text).toContain('carry HOME/pairing.json there')
  expect(text).not.toContain('docker compose')
})

test('asks for the hub’s address where only a path on this machine is known', async () => {
  expect(await steps('cloud', ['cloud'], '/srv/zones/cloud/hub/vault.git')).toContain(
    'npx countersign init cloud --home HOME --hub-host',
  )
})

test('names to compose what its file cannot know', async () => {
  const text = await steps('cloud', ['cloud', 'local'], 'ssh://git@vm.example.org:2300/srv/hub/vault.git')
  expect(text).toMatch(
    /start this zone [^:]*: COUNTERSIGN_CLOUD_HOME=HOME (COUNTERSIGN_UID=\d+ COUNTERSIGN_GID=\d+ )?COUNTERSIGN_HUB_PORT=2300 docker compose -f compose\.cloud\.yml up -d\n/,
  )
})

test('sends an unpaired local zone to the cloud first', async () => {
  expect(await steps('local', ['local'])).toMatch(/^get the line for this machine from the cloud machine/m)
  expect(await steps('local', ['cloud', 'local'])).toMatch(
    /init cloud --pair cs1-\S+\n[\s\S]*start the cloud zone there[\s\S]*compose\.local\.yml up -d\n[\s\S]*doctor[\s\S]*HOME\/vault/,
  )
})

test('sends an owner of Gmail for a token, and lays over what the container needs for it', async () => {
  const hub = 'ssh://git@vm.example.org:2222/srv/hub/vault.git'
  const text = await steps('cloud', ['cloud', 'local'], hub, { COUNTERSIGN_MAILBOX_PROVIDER: 'gmail' })
  expect(text).toContain('npx countersign auth gmail --home HOME --client-file')
  expect(text).toContain('docker compose -f compose.cloud.yml -f compose.cloud-gmail.yml up -d')
  const sending = await steps('local', ['cloud', 'local'], undefined, { COUNTERSIGN_MAIL_PROVIDER: 'gmail' })
  expect(sending).toMatch(/auth gmail --home HOME.*[\s\S]*-f compose\.local\.yml up -d\n/)
})
