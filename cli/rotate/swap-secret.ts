import { open, readFile, rm, stat } from 'node:fs/promises'
import { replaceFile } from '#adapters/keys/replace-file.ts'
import { CountersignError } from '#core/errors.ts'
import { renewGuard } from '../countersign-key.ts'
import type { ZoneHome } from '../zone-home.ts'
import { giveToOwner } from './give-to-owner.ts'

/** Whoever takes the secret for a proof of who one is. Each step may be asked for again, and then changes nothing. */
export interface Lock {
  /** Takes the new one from now on: beside the old one where that can be, else in its place. */
  accept?(fresh: string, old: string): Promise<void>
  /** Takes the old one no more. Throws when it still does. */
  refuse?(fresh: string, old: string): Promise<void>
}

export interface Swap {
  readonly home: ZoneHome
  readonly file: string
  /** Makes a new one; not asked for one that an earlier run made. */
  make(): Promise<string> | string
  readonly lock: Lock
  /** Tries the new one, which stands in this file, before anything is changed; throws when it is no good. */
  test?(file: string): Promise<void>
  /** Has the services that hold the old one in their memory begin anew; gives which. */
  restart(): Promise<readonly string[]>
}

export interface Swapped {
  /** An earlier run was interrupted; no other secret was made. */
  readonly isFinished: boolean
  readonly restarted: readonly string[]
}

/**
 * Puts a new secret in the place of an old one: first it is accepted, then used, then the old one is refused. Of what has been
 * done the files tell: `.next` is the new one until all is done, `.before` the old one from the moment on at which it is replaced. A run that
 * died anywhere leaves a secret that works, and the next one finishes what it began.
 */
export async function swapSecret({ home, file, make, lock, test, restart }: Swap): Promise<Swapped> {
  const next = `${file}.next`
  const before = `${file}.before`
  const begun = await textOf(next)
  const fresh = begun || (await make())
  if (!begun) {
    await replaceFile(next, fresh, 0o600)
    await giveToOwner(home, next)
  }
  try {
    await test?.(next)
  } catch (error) {
    if ((await textOf(file)) !== fresh) await rm(next, { force: true })
    throw error
  }
  // Before anybody has it, so that no sync that is started from now on would carry it.
  await renewGuard(home)
  const present = await textOf(file)
  if (present !== fresh && present !== '') {
    // What stands in the file may be half of the new one, if an earlier run died in the middle of that.
    const old = (await textOf(before)) || present
    await lock.accept?.(fresh, old)
    await replaceFile(before, old, 0o600)
    await giveToOwner(home, before)
  }
  await overwrite(file, fresh)
  const restarted = await restart()
  const old = await textOf(before)
  if (old !== '') await lock.refuse?.(fresh, old)
  await rm(before, { force: true })
  await rm(next, { force: true })
  await renewGuard(home)
  return { isFinished: begun !== '', restarted }
}

/** What a file of a secret says, without the line end; '': nothing, or there is none. */
export async function textOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw new CountersignError(
      'ERR_USAGE',
      `reading ${file}: ${error.code}; run it as the user that owns the zone home`,
    )
  })
  return text.replace(/[\r\n]+$/, '')
}

/**
 * Into the same file: containers are given the file, not its name, and so see the new one at once. A run that dies in the middle has the
 * whole of it in `.next`.
 */
async function overwrite(file: string, text: string): Promise<void> {
  const isThere = await stat(file).then(
    () => true,
    () => false,
  )
  if (!isThere) return replaceFile(file, text, 0o600)
  await using handle = await open(file, 'r+')
  const bytes = Buffer.from(text)
  await handle.write(bytes, 0, bytes.length, 0)
  await handle.truncate(bytes.length)
  await handle.sync()
}
