import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Finding } from '#core/finding.ts'
import { attempt } from './finding.ts'
import type { ZoneHome } from './zone-home.ts'

const SHOWN = 5

/** Keys and secrets that others on this machine can read are no secrets; what the containers' user cannot read stops them. */
export async function fileFindings(home: ZoneHome): Promise<Finding[]> {
  const private_ = [home.keys, home.secrets, home.social, home.mailboxes].filter((folder) => existsSync(folder))
  const folders = [home.keys, home.secrets].every((folder) => private_.includes(folder)) ? private_ : [home.keys]
  return [
    ...(await Promise.all(folders.map(folderFinding))),
    ...(existsSync(home.secrets) ? [await ownerFinding(home)] : []),
  ]
}

async function folderFinding(folder: string): Promise<Finding> {
  let hint: string | undefined
  const finding = await attempt(basename(folder), 'only its owner can open it', async () => {
    const mode = (await stat(folder)).mode & 0o777
    if (mode & 0o077) {
      hint = `chmod 700 ${folder}`
      throw new Error(`others on this machine can open it (mode ${mode.toString(8)})`)
    }
    const files = (await readdir(folder)).filter((name) => !name.endsWith('.pub')).map((name) => join(folder, name))
    const open = await select(files, async (file) => ((await stat(file)).mode & 0o077) !== 0)
    if (open.length === 0) return
    hint = `chmod 600 ${open.slice(0, SHOWN).join(' ')}`
    throw new Error(`others on this machine can read ${sayNames(open)}`)
  })
  return hint === undefined ? finding : { ...finding, hint }
}

/** What root completed by hand would be root's alone. */
async function ownerFinding({ root, keys, secrets, trust }: ZoneHome): Promise<Finding> {
  let hint: string | undefined
  const finding = await attempt('owner', '', async () => {
    const { uid, gid } = await stat(root)
    const inside = await Promise.all([keys, secrets, trust].map(async (folder) => filesIn(folder)))
    const foreign = await select(inside.flat(), async (file) => (await stat(file)).uid !== uid)
    if (foreign.length === 0) return `all of it belongs to user ${uid}`
    hint = `sudo chown -R ${uid}:${gid} ${root}`
    throw new Error(
      `the home is user ${uid}'s, and ${sayNames(foreign)} somebody else's: the containers cannot read that`,
    )
  })
  return hint === undefined ? finding : { ...finding, hint }
}

async function filesIn(folder: string): Promise<string[]> {
  return [folder, ...(await readdir(folder)).map((name) => join(folder, name))]
}

async function select(files: readonly string[], is: (file: string) => Promise<boolean>): Promise<string[]> {
  const verdicts = await Promise.all(files.map(is))
  return files.filter((_, index) => verdicts[index])
}

function sayNames(files: readonly string[]): string {
  const more = files.length > SHOWN ? ` and ${files.length - SHOWN} more` : ''
  return `${files.slice(0, SHOWN).join(', ')}${more}`
}
