import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readGuard } from '#adapters/keys/guard-file.ts'
import { homeLayout } from '../zone-home.ts'
import { type Swap, swapSecret } from './swap-secret.ts'

const OLD = 'the-old-password-of-the-zone'

/** A zone home with one secret, a server that takes it, and a service that has it in its memory. */
async function scene() {
  const root = await mkdtemp(join(tmpdir(), 'swap-secret-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const home = homeLayout(root, 'cloud')
  await mkdir(home.secrets)
  await mkdir(home.keys)
  const file = join(home.secrets, 'redis-password')
  await writeFile(file, OLD, { mode: 0o600 })
  const accepted = new Set([OLD])
  let remembered = OLD
  let made = 0
  const say: string[] = []
  const swap: Swap = {
    ...{ home, file },
    make: () => `password-number-${++made}-of-the-zone`,
    lock: {
      async accept(fresh) {
        say.push('accept')
        accepted.add(fresh)
      },
      async refuse(_fresh, old) {
        say.push('refuse')
        accepted.delete(old)
      },
    },
    async restart() {
      say.push('restart')
      remembered = await readFile(file, 'utf8')
      return ['drafter']
    },
  }
  return {
    ...{ home, file, swap, accepted, say },
    remembered: () => remembered,
    made: () => made,
    text: () => readFile(file, 'utf8'),
    left: async () => (await readdir(home.secrets)).sort(),
  }
}

test('the new one is accepted, then used, then the old one is refused', async () => {
  const { swap, accepted, say, remembered, text, left, file, home } = await scene()
  const { ino } = await stat(file)
  expect(await swapSecret(swap)).toEqual({ isFinished: false, restarted: ['drafter'] })
  expect(say).toEqual(['accept', 'restart', 'refuse'])
  expect([...accepted]).toEqual(['password-number-1-of-the-zone'])
  expect([remembered(), await text()]).toEqual(['password-number-1-of-the-zone', 'password-number-1-of-the-zone'])
  expect(await left()).toEqual(['redis-password'])
  // A container is given the file, not its name.
  expect(await stat(file)).toMatchObject({ ino, mode: 0o100_600 })
  const guard = await readGuard(home.keys)
  expect(guard.find(Buffer.from(`so: ${await text()}`))).toBe('redis-password')
  expect(guard.find(Buffer.from(`so: ${OLD}`))).toBeUndefined()
})

test.each([
  ['before it is accepted', 'accept', 'before'],
  ['after it was accepted', 'accept', 'after'],
  ['before services begin anew', 'restart', 'before'],
  ['after they did', 'restart', 'after'],
  ['before the old one is refused', 'refuse', 'before'],
  ['after it was refused', 'refuse', 'after'],
] as const)('a run that dies %s leaves a password that works, and the next one finishes', async (_what, step, when) => {
  const { swap, accepted, remembered, text, left, made, home } = await scene()
  const real = { ...swap.lock, restart: swap.restart }
  const dying = async (...args: [string, string]) => {
    if (when === 'after') await real[step]?.(...args)
    throw new Error('killed')
  }
  const killed: Swap =
    step === 'restart'
      ? { ...swap, restart: () => dying('', '') as never }
      : { ...swap, lock: { ...swap.lock, [step]: dying } }
  await expect(swapSecret(killed)).rejects.toThrow('killed')
  expect(accepted).toContain(await text())
  expect(accepted).toContain(remembered())
  // What stands in any of the files is kept out of the vault.
  const guard = await readGuard(home.keys)
  expect(guard.find(Buffer.from('password-number-1-of-the-zone'))).toBeDefined()

  expect(await swapSecret(swap)).toMatchObject({ isFinished: true })
  expect([made(), [...accepted]]).toEqual([1, ['password-number-1-of-the-zone']])
  expect([remembered(), await text()]).toEqual(['password-number-1-of-the-zone', 'password-number-1-of-the-zone'])
  expect(await left()).toEqual(['redis-password'])
})

test('a new one that is no good changes nothing', async () => {
  const { swap, accepted, say, text, left } = await scene()
  const test = async (file: string) => {
    expect(await readFile(file, 'utf8')).toBe('password-number-1-of-the-zone')
    throw new Error('no good')
  }
  await expect(swapSecret({ ...swap, test })).rejects.toThrow('no good')
  expect([say, [...accepted], await text(), await left()]).toEqual([[], [OLD], OLD, ['redis-password']])
})

test('a file that was cut off in the middle of being written is written anew', async () => {
  const { swap, file, text, accepted } = await scene()
  await expect(swapSecret({ ...swap, restart: () => Promise.reject(new Error('killed')) })).rejects.toThrow('killed')
  await writeFile(file, 'password-num')
  await swapSecret(swap)
  expect([await text(), ...accepted]).toEqual(['password-number-1-of-the-zone', 'password-number-1-of-the-zone'])
})
