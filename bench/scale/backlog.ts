import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeTaskId, type TaskId } from '#core/ids.ts'
import type { IncomingMail } from '#core/ports/mail.ts'
import { renderTaskFile } from '#core/task-file.ts'
import { arrivingTask } from '#services/triage/arriving-task.ts'

const run = promisify(execFile)
const FOLDER = 'Needs_Action/email'

/** A mail that a scripted model and the template both answer. */
const LETTER = 'Hello,\n\nwhen are you in the office next week?\n\nKind regards\nClara'

/** Writes so many tasks into a vault, as triage would, but for its waiting for the disk. */
export function writeBacklog(vault: string, count: number, owner: string): void {
  const folder = join(vault, FOLDER)
  mkdirSync(folder, { recursive: true })
  const { uid, gid } = statSync(vault)
  chownSync(folder, uid, gid)
  for (let number = 0; number < count; number++) {
    const { fileName, task } = taskOf(number, owner)
    const path = join(folder, fileName)
    writeFileSync(path, renderTaskFile(task))
    chownSync(path, uid, gid)
  }
}

function taskOf(number: number, owner: string) {
  const digest = createHash('sha256').update(`backlog ${number}`).digest()
  const receivedAt = Date.now() - 60_000 + number
  const mail: IncomingMail = {
    messageId: `<backlog-${number}@countersign.test>`,
    ...{ references: [], replyTo: [], cc: [], attachments: [], problems: [], headers: new Map() },
    from: { name: 'Clara Client', address: `client-${number}@countersign.test` },
    to: [{ name: '', address: owner }],
    ...{ subject: `Question number ${number}`, receivedAt, text: LETTER },
    digest: digest.toString('hex'),
  }
  return arrivingTask(mail, {
    id: makeTaskId(receivedAt, digest),
    ...{ account: owner, key: mail.digest, thread: `<backlog-${number}@countersign.test>`, domain: 'email', risk: [] },
  })
}

/** How many task files of mails stand in a folder of the vault. */
export function countIn(vault: string, folder: string): number {
  try {
    return readdirSync(join(vault, folder)).filter((name) => name.startsWith('EMAIL_') && name.endsWith('.md')).length
  } catch {
    return 0
  }
}

/** The same at the hub. */
export async function countAtHub(hub: string, folder: string): Promise<number> {
  // It belongs to whoever the containers run as.
  const args = ['-c', 'safe.directory=*', '--git-dir', hub, 'ls-tree', '--name-only', `main:${folder}`]
  try {
    const { stdout } = await run('git', args, { maxBuffer: 2 ** 28 })
    return stdout.split('\n').filter((name) => name.startsWith('EMAIL_')).length
  } catch {
    return 0 // The folder is not there yet.
  }
}

/** How often the ledger says of each task that it was drafted. */
export function timesDrafted(vault: string): Map<TaskId, number> {
  const times = new Map<TaskId, number>()
  const folder = join(vault, 'Logs/cloud')
  for (const day of readdirSync(folder)) {
    for (const line of readFileSync(join(folder, day), 'utf8').split('\n')) {
      if (!line.includes('"task.drafted"')) continue
      const { task } = JSON.parse(line) as { task: TaskId }
      times.set(task, (times.get(task) ?? 0) + 1)
    }
  }
  return times
}
