import { join } from 'node:path'
import { DOMAINS, type VaultPath } from '#core/vault-path.ts'
import { entriesOf, isRealFolder, lstatOrUndefined } from './file-access.ts'

/**
 * Furthest along first: where a move was applied by halves elsewhere, the later state is the one that counts. Then the
 * other way: a file that moves on while it is looked for would be passed by.
 */
export async function findTask(root: string, fileName: string): Promise<VaultPath | undefined> {
  return (
    (await findIn(await taskFolders(root), root, fileName)) ??
    findIn((await taskFolders(root)).reverse(), root, fileName)
  )
}

async function findIn(folders: readonly string[], root: string, fileName: string): Promise<VaultPath | undefined> {
  for (const folder of folders) {
    const path = `${folder}/${fileName}` as VaultPath
    if ((await isRealFolder(root, folder)) && (await lstatOrUndefined(join(root, path), path))?.isFile()) return path
  }
  return undefined
}

/** Every folder in which a task may stand now, furthest along first. */
export async function taskFolders(root: string): Promise<string[]> {
  const below = async (folder: string) =>
    (await entriesOf(root, folder)).filter((entry) => entry.isDirectory()).map((entry) => `${folder}/${entry.name}`)
  return [
    ...(await below('Done')),
    ...(await below('In_Progress')),
    'Approved',
    'Rejected',
    ...DOMAINS.map((domain) => `Pending_Approval/${domain}`),
    ...DOMAINS.map((domain) => `Needs_Action/${domain}`),
  ]
}
