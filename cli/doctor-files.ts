import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Finding } from '#core/finding.ts'
import { PROGRAM } from './cli.ts'
import { attempt } from './finding.ts'
import type { ZoneHome } from './zone-home.ts'

const SHOWN = 5

/** Whether the folders of keys and secrets are closed to others, and what is in the home is its owner's, whom the containers run as. */
export async function fileFindings(home: ZoneHome): Promise<Finding[]> {
  const needed = [home.keys, home.secrets]
  const folders = [...needed, home.social, home.mailboxes].filter((folder) => existsSync(folder))
  const gone = needed.filter((folder) => !folders.includes(folder)).map((folder) => goneFinding(home, folder))
  return [...gone, ...(await Promise.all(folders.map(folderFinding))), await ownerFinding(home)]
}

function goneFinding({ zone }: ZoneHome, folder: string): Finding {
  const hint = `Put it back from a backup (docs/backup.md), or run ${PROGRAM} init ${zone}, which makes a new one`
  return { check: `${basename(folder)}/`, result: 'failed', found: `${folder} is not there`, hint }
}

async function folderFinding(folder: string): Promise<Finding> {
  const check = `${basename(folder)}/`
  const mode = (await stat(folder)).mode & 0o777
  if ((mode & 0o077) === 0) return { check, result: 'ok', found: 'only its owner can open it' }
  const found = `others on this machine can open it (mode ${mode.toString(8)})`
  return { check, result: 'failed', found, hint: `chmod 700 ${folder}` }
}

/** What root completed by hand would be root's alone. */
async function ownerFinding({ root, keys, secrets, trust }: ZoneHome): Promise<Finding> {
  const { uid, gid } = await stat(root)
  const finding = await attempt('owner', `all of it belongs to user ${uid}`, async () => {
    const inside = await Promise.all([keys, secrets, trust].filter((folder) => existsSync(folder)).map(filesIn))
    const owners = await Promise.all(inside.flat().map(async (file) => ({ file, uid: (await stat(file)).uid })))
    const foreign = owners.filter((one) => one.uid !== uid).map(({ file }) => file)
    if (foreign.length > 0)
      throw new Error(
        `the home is user ${uid}'s, and these are not, so that the containers cannot read them: ${sayNames(foreign)}`,
      )
  })
  return finding.result === 'ok' ? finding : { ...finding, hint: `sudo chown -R ${uid}:${gid} ${root}` }
}

async function filesIn(folder: string): Promise<string[]> {
  return [folder, ...(await readdir(folder)).map((name) => join(folder, name))]
}

function sayNames(files: readonly string[]): string {
  const more = files.length > SHOWN ? ` and ${files.length - SHOWN} more` : ''
  return `${files.slice(0, SHOWN).join(', ')}${more}`
}
