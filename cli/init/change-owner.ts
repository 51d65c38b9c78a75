import { lchown, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CountersignError } from '#core/errors.ts'

/** What `--owner` means; undefined when it is not two numbers. */
export function parseOwner(owner: string): { readonly uid: number; readonly gid: number } | undefined {
  const [, uid, gid] = /^(\d{1,9}):(\d{1,9})$/.exec(owner) ?? []
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

/** Gives a folder and all in it to a user; links themselves, never what they point to. Throws ERR_USAGE. */
export async function changeOwner(root: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  try {
    await lchown(root, uid, gid)
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true }))
      await lchown(join(entry.parentPath, entry.name), uid, gid)
  } catch (cause) {
    const found = (cause as NodeJS.ErrnoException).code
    throw new CountersignError('ERR_USAGE', `giving ${root} to ${uid}:${gid}: ${found}; only root may do that`, {
      cause,
    })
  }
}
