import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { guardFindings } from '../doctor-guard.ts'
import { initZone } from './init-zone.ts'
import { readPairing } from './pairing.ts'

const main = join(import.meta.dirname, '../main.ts')
const OWNER = ['--owner-address', 'you@example.org', '--hub-host', 'vm.example.org']

function init(home: string) {
  const child = spawn(process.execPath, [main, '--json', '--home', home, 'init', 'cloud', ...OWNER], {
    stdio: 'ignore',
  })
  return { child, ended: new Promise<void>((resolve) => child.once('exit', () => resolve())) }
}

/** How much of a home is there, so that each kill comes at another place whatever the machine's speed. */
const filesIn = async (home: string) => (await readdir(home, { recursive: true }).catch(() => [])).length

test('an init that is killed at any place is completed by the next', async () => {
  const root = await mkdtemp(join(tmpdir(), 'init-killed-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const whole = await initZone({ root: join(root, 'whole'), zone: 'cloud', settings: {}, secrets: {} })
  const all = await filesIn(whole.home.root)
  const names = (await readdir(whole.home.root)).sort()
  const reached: number[] = []
  for (const share of [0, 0.2, 0.4, 0.6, 0.8]) {
    const home = join(root, String(share))
    const { child, ended } = init(home)
    while ((await filesIn(home)) <= share * all && child.exitCode === null) await delay(1)
    child.kill('SIGKILL')
    await ended
    reached.push(await filesIn(home))
    const again = await initZone({
      ...{ root: home, zone: 'cloud', hubHost: 'vm.example.org', secrets: {} },
      settings: { COUNTERSIGN_OWNER_ADDRESS: 'you@example.org' },
    })
    expect((await readdir(home)).sort(), `killed at ${share}`).toEqual(names)
    expect(again.home.settings.COUNTERSIGN_OWNER_ADDRESS).toBe('you@example.org')
    expect((await guardFindings(again.home)).map(({ result }) => result)).toEqual(['ok'])
    expect((await readPairing(again.pairingFile)).agent.name).toBe('cloud')
  }
  // Not all after the last file was written, nor all before the first.
  expect(Math.min(...reached)).toBeLessThan(Math.max(...reached))
})
