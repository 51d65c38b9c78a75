import { lchown, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CountersignError } from '#core/errors.ts'

/** Gives a folder and all in it to `uid:gid`; links themselves, never what they point to. Throws ERR_USAGE. */
export async function changeOwner(root: string, owner: string): Promise<void> {
  const [, uid, gid] = /^(\d{1,9}):(\d{1,9})$/.exec(owner) ?? []
  if (uid === undefined || gid === undefined)
    throw new CountersignError('ERR_USAGE', `--owner ${owner}: expected numbers, such as 1000:1000`)
  try {
    await lchown(root, Number(uid), Number(gid))
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true }))
      await lchown(join(entry.parentPath, entry.name), Number(uid), Number(gid))
  } catch (cause) {
    const found = (cause as NodeJS.ErrnoException).code
    throw new CountersignError('ERR_USAGE', `giving ${root} to ${owner}: ${found}; only root may do that`, { cause })
  }
}
