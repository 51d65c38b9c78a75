import { chmod, chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fileFindings } from './doctor-files.ts'
import { initZone } from './init/init-zone.ts'

async function madeHome() {
  const root = await mkdtemp(join(tmpdir(), 'doctor-files-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const secrets = { 'imap-password': 'a-mailbox-password' }
  return (await initZone({ root: join(root, 'cloud'), zone: 'cloud', settings: {}, secrets })).home
}

test('a home as init makes it is in order', async () => {
  expect((await fileFindings(await madeHome())).filter(({ result }) => result !== 'ok')).toEqual([])
})

test('a folder of keys that others can open is named, with the command that mends it', async () => {
  const home = await madeHome()
  await chmod(home.keys, 0o755)
  expect((await fileFindings(home)).filter(({ result }) => result === 'failed')).toEqual([
    {
      ...{ check: 'keys/', result: 'failed', found: 'others on this machine can open it (mode 755)' },
      hint: `chmod 700 ${home.keys}`,
    },
  ])
})

test('a folder that is gone is named', async () => {
  const home = await madeHome()
  await rm(home.secrets, { recursive: true })
  expect((await fileFindings(home)).filter(({ result }) => result === 'failed')).toMatchObject([
    { check: 'secrets/', found: `${home.secrets} is not there`, hint: expect.stringContaining('init cloud') },
  ])
})

test.runIf(process.getuid?.() === 0)('a file that root left in somebody’s home is named', async () => {
  const home = await madeHome()
  await chown(home.root, 1000, 1000)
  const [finding] = (await fileFindings(home)).filter(({ result }) => result === 'failed')
  expect(finding).toMatchObject({
    check: 'owner',
    found: expect.stringMatching(/^the home is user 1000's, and these are not.*keys.* and \d+ more$/),
    hint: `sudo chown -R 1000:1000 ${home.root}`,
  })
})
