import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { guardFindings } from '../doctor-guard.ts'
import { initZone } from './init-zone.ts'
import { readPairing } from './pairing.ts'

const main = join(import.meta.dirname, '../main.ts')
const OWNER = ['--owner-address', 'you@example.org', '--hub-host', 'vm.example.org', '--skip-checks']

/** Loaded before the program: counts what it asks of the disk, and ends it at the call that is named. */
const AT_ONE_CALL = `
import fs from 'node:fs/promises'
import { writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
let calls = 0
for (const name of ['mkdir', 'writeFile', 'open', 'rename', 'link', 'chmod']) {
  const real = fs[name]
  fs[name] = (...args) => {
    calls += 1
    if (calls === Number(process.env.KILL_AT)) process.kill(process.pid, 'SIGKILL')
    return real(...args)
  }
}
syncBuiltinESMExports()
process.on('exit', () => writeFileSync(process.env.CALLS_FILE, String(calls)))
`

test('an init that is killed at any place is completed by the next', async () => {
  const root = await mkdtemp(join(tmpdir(), 'init-killed-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const preload = join(root, 'at-one-call.mjs')
  const callsFile = join(root, 'calls')
  await writeFile(preload, AT_ONE_CALL)
  /** By which signal it ended. */
  const init = (home: string, killAt: number) =>
    new Promise<string | null | undefined>((resolve) => {
      const env = { ...process.env, KILL_AT: String(killAt), CALLS_FILE: callsFile }
      const args = ['--import', preload, main, '--json', '--home', home, 'init', 'cloud', ...OWNER]
      execFile(process.execPath, args, { env }, (error) => resolve(error?.signal))
    })
  expect(await init(join(root, 'whole'), 0)).toBeUndefined()
  const names = (await readdir(join(root, 'whole'))).sort()
  const calls = Number(await readFile(callsFile, 'utf8'))
  expect(calls).toBeGreaterThan(50)
  for (const share of [0.1, 0.3, 0.5, 0.7, 0.9]) {
    const home = join(root, String(share))
    expect(await init(home, Math.ceil(share * calls))).toBe('SIGKILL')
    const again = await initZone({
      ...{ root: home, zone: 'cloud', hubHost: 'vm.example.org', secrets: {} },
      settings: { COUNTERSIGN_OWNER_ADDRESS: 'you@example.org' },
    })
    expect((await readdir(home)).filter((name) => !name.endsWith('.tmp')).sort(), `killed at ${share}`).toEqual(names)
    expect(again.home.settings.COUNTERSIGN_OWNER_ADDRESS).toBe('you@example.org')
    expect((await guardFindings(again.home)).map(({ result }) => result)).toEqual(['ok'])
    expect((await readPairing(again.pairingFile)).agent.name).toBe('cloud')
  }
})
