import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import type { ClientMail } from './client-mail.ts'
import { REDIS_SOURCES, type RedisSource } from './redis.ts'
import { openWorld } from './world.ts'

export type PlaygroundOptions = {
  /** Kept and used again at the next start. */
  readonly root: string
  readonly undoMs: number
  readonly redis?: RedisSource
  readonly mailbox: 'auto' | 'container' | 'dev'
  readonly env: Readonly<Record<string, string | undefined>>
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** Written while a playground runs, for `countersign mail`. */
type PlaygroundNote = { readonly pid: number; readonly owner: string; readonly mail: ClientMail }

/** Keeps both zones up in one folder until the signal aborts, then drains them. Throws ERR_USAGE when one runs there already. */
export async function runPlayground(options: PlaygroundOptions): Promise<void> {
  const { root, signal, say } = options
  const running = await readNote(root)
  if (running) throw new CountersignError('ERR_USAGE', `starting in ${root}: process ${running.pid} runs there already`)
  const sources = options.redis ? [options.redis] : REDIS_SOURCES
  await using world = await openWorld({
    ...options,
    isTemporary: false,
    redis: sources,
    onEvent: ({ process, event, detail }) => say(`${process} ${event} (${detail}); it is started again`),
  })
  for (const fact of world.facts) say(fact)
  await world.startZone('cloud')
  await world.startZone('local')
  const { owner, client } = world.mailbox.accounts
  const mail: ClientMail = { smtp: world.mailbox.smtp, imap: world.mailbox.imap, client }
  await writeFile(noteFile(root), JSON.stringify({ pid: process.pid, owner: owner.address, mail }), { mode: 0o600 })
  const command = `npx countersign${root === resolve('zones/playground') ? '' : ` --home ${root}`}`
  say(
    [
      '',
      `Both zones are up. Open this folder in Obsidian, VS Code or any editor:\n\n  ${world.homes.local.vault}\n`,
      'Then, in another terminal:',
      `  ${command} mail send     a client writes to you; a draft appears in Pending_Approval/`,
      '  (edit it, move it to Approved/ or tick Approve)',
      `  ${command} mail inbox    what the client got`,
      `  npx countersign --home ${join(root, 'local')} status`,
      '',
      `Logs: ${join(root, 'logs')}    Ctrl-C stops everything; the vault stays.`,
    ].join('\n'),
  )
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
  say('Stopping …')
  await rm(noteFile(root), { force: true })
}

/** How to reach the mailbox of the playground that runs in a folder. Throws ERR_NOT_RUNNING. */
export async function playgroundMail(root: string): Promise<PlaygroundNote> {
  const note = await readNote(root)
  if (note) return note
  throw new CountersignError(
    'ERR_NOT_RUNNING',
    `looking for a playground in ${root}: none runs there; \`npm start\` starts one`,
  )
}

async function readNote(root: string): Promise<PlaygroundNote | undefined> {
  const file = noteFile(root)
  if (!existsSync(file)) return undefined
  const note = JSON.parse(await readFile(file, 'utf8')) as PlaygroundNote
  try {
    process.kill(note.pid, 0)
    return note
  } catch {
    return undefined // it was killed and could not remove the note
  }
}

function noteFile(root: string): string {
  return join(root, 'playground.json')
}
