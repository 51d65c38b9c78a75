import { chmod, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { modeFault } from '#core/credentials.ts'
import type { ZoneHome } from './zone-home.ts'

export interface LooseFile {
  readonly file: string
  /** What is wrong with its mode, as a sentence goes on after its name. */
  readonly fault: string
}

/** Files of keys and secrets that others on this machine can open, or change: services refuse to start with them. */
export async function looseFiles({ keys, secrets, social, mailboxes, hub }: ZoneHome): Promise<LooseFile[]> {
  const found = await Promise.all([keys, secrets, social, mailboxes].map(filesIn))
  const files = [...found.flat(), join(hub, 'ssh_host_ed25519_key')]
  const judged = files.map(async (file) => {
    const looked = await stat(file).catch(() => undefined)
    const fault = looked?.isFile() ? modeFault(looked.mode) : undefined
    return fault === undefined ? [] : [{ file, fault }]
  })
  return (await Promise.all(judged)).flat()
}

/** Takes from all others what only the owner is to have. Gives what was done, a line each. */
export async function tightenFiles(home: ZoneHome): Promise<string[]> {
  const loose = await looseFiles(home)
  for (const { file } of loose) await chmod(file, 0o600)
  return loose.map(({ file, fault }) => `closed ${file} to others: it had ${fault.slice('has '.length).split(':')[0]}`)
}

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => !name.endsWith('.pub')).map((name) => join(folder, name))
}
