import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Machine, startMachine } from '#tests/support/machine.ts'
import { eventually } from '#tests/support/mail.ts'

/** An empty machine with two small disks. */
let machine: Machine
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'newcomer-faults-'))
  machine = await startMachine(folder, { uid: 0, gid: 0 }, 'bridge', [
    ...['--tmpfs', '/full:size=4m', '--tmpfs', '/tight:size=64m'],
  ])
  return () => rm(folder, { recursive: true, force: true })
})
afterAll(() => machine?.[Symbol.asyncDispose]())

const INIT = 'bin/countersign init cloud --owner-address you@example.org --hub-host 192.0.2.1'

test('without room for a home nothing is begun', async () => {
  await expect(machine.run(`${INIT} --home /full/cloud`)).rejects.toThrow(
    /nothing was written:\n {2}\/full\/cloud: \d MB free on that disk; make room, or say --home/,
  )
  expect(await machine.run('ls -A /full')).toBe('')
})

test('init ends by naming what is in the way: little room, a taken port and who has it, no mailbox', async () => {
  await machine.run(`(node -e 'require("net").createServer().listen(2222)' >/dev/null 2>&1 &)`)
  await eventually('somebody has the port', () =>
    machine.run('(</dev/tcp/127.0.0.1/2222) 2>&1 && echo yes || true').then((said) => said.includes('yes')),
  )
  const mailbox = '--imap-host 127.0.0.1 --imap-user you --imap-tls none --imap-password-file /tight/password'
  await machine.run('umask 077 && printf %s a-password >/tight/password')
  const shown = await machine.run(`${INIT} --home /tight/cloud ${mailbox}`)
  for (const line of [
    /✗ {2}disk +only \d\d MB free where \/tight\/cloud lies; a zone wants 1 GB\n +→ Make room there/,
    /✗ {2}port 2222 +taken by node \(process \d+\); this zone's hub needs it\n +→ Stop what has it, or choose another: npx countersign init cloud --hub-host/,
    /✗ {2}mailbox +.*127\.0\.0\.1:993.*: nothing answers at that port\n +→ Correct COUNTERSIGN_IMAP_HOST/,
    /· {2}pairing +the local zone is not known yet: that comes next/,
  ])
    expect(shown).toMatch(line)
  // The home is whole all the same, and nothing is tried where that is not wanted.
  const again = await machine.run(`${INIT} --home /tight/cloud --skip-checks`)
  expect(again).toMatch(/kept the keys[\s\S]*Nothing was tried\. npx countersign doctor does so\./)
})

test('a pairing code that was not copied whole is refused before anything is written', async () => {
  const shown = await machine.run(`${INIT} --home /tight/cloud --skip-checks`)
  const code = /--pair (cs1-\S+)/.exec(shown)?.[1] ?? ''
  await expect(machine.run(`bin/countersign init local --pair ${code.slice('cs1-'.length, -7)}`)).rejects.toThrow(
    /nothing was written:\n {2}the pairing code is not whole/,
  )
})

test('a wizard that is left by Ctrl-C in the middle has written nothing', async () => {
  const leave = machine.typed('bin/countersign init local --home left', [
    ['Your e-mail address', 'you@example.org'],
    ['Your name', '\u0003'],
  ])
  await expect(leave).rejects.toThrow(/ended there; nothing was written/)
  expect(await machine.run('ls -d left 2>&1 || true')).toContain('No such file')
})
