import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bumpRestoreEpoch } from '#adapters/state-files/restore-mark.ts'
import { fileNameOf } from '#core/vault-path.ts'
import type { Zone } from '#core/zone-policy.ts'
import { readClientInbox, sendAsClient } from '../../demo/client-mail.ts'
import { presented, readTask, taskOfMail } from '../../demo/evidence.ts'
import { REDIS_SOURCES } from '../../demo/redis.ts'
import { until } from '../../demo/until.ts'
import { openWorld, type World } from '../../demo/world.ts'

const LIMITS = { limitMs: 60_000, signal: new AbortController().signal }

/** Both zones on this machine, and what befalls them. */
export interface DisasterWorld extends AsyncDisposable {
  readonly world: World
  /** A client writes; resolves with the name of its task's file once its card lies before the person. */
  letter(subject: string): Promise<string>
  /** The same, without waiting for local. Gives the Message-ID. */
  write(subject: string): Promise<string>
  approve(file: string): Promise<void>
  /** The folder in which a task stands in a zone's vault. */
  where(zone: Zone, file: string): string | undefined
  until(what: string, look: () => unknown): Promise<void>
  /** How many answers to each subject have reached the client. */
  answers(): Promise<Record<string, number>>
  /** Stops the zone for the moment in which its home is copied. */
  backUp(zone: Zone): Promise<Date>
  /** Everything of the zone is gone: its processes, then its home. */
  lose(zone: Zone): Promise<void>
  restore(zone: Zone, made: Date): void
  /** The command line, as a document writes it; throws with what it said when it fails. */
  run(command: string): Promise<string>
}

export async function openDisasterWorld(): Promise<DisasterWorld> {
  const root = mkdtempSync(join(tmpdir(), 'countersign-disaster-'))
  const world = await openWorld({
    root,
    ...{ isTemporary: false, undoMs: 0, redis: REDIS_SOURCES, mailbox: 'dev' },
    ...{ env: process.env, say: () => {}, signal: LIMITS.signal },
  })
  const { accounts, smtp, imap } = world.mailbox
  const mail = { smtp, imap, client: accounts.client }
  const wait = async (what: string, look: () => unknown) =>
    void (await until(what, async () => (await look()) || undefined, LIMITS))
  const kept = (zone: Zone) => join(root, 'kept', zone)
  const self: DisasterWorld = {
    world,
    write: (subject) =>
      sendAsClient(mail, { to: accounts.owner.address, subject, text: `Hello,\n\n${subject}?\n\nClara` }),
    async letter(subject) {
      const messageId = await self.write(subject)
      const { path } = await until('a task', () => taskOfMail(world.homes.local, messageId), LIMITS)
      const file = fileNameOf(path)
      await self.until(`the card of ${subject}`, async () => presented(await readTask(pending(file))))
      return file
    },
    approve: (file) => rename(pending(file), join(world.homes.local.vault, 'Approved', file)),
    where: (zone, file) => {
      const found = readdirSync(world.homes[zone].vault, { recursive: true, encoding: 'utf8' }).filter(
        (path) => path.endsWith(`/${file}`) || path === file,
      )
      return found.map((path) => path.slice(0, -file.length - 1)).join(' and ') || undefined
    },
    until: wait,
    async answers() {
      const counts: Record<string, number> = {}
      for (const { subject } of await readClientInbox(mail)) counts[subject] = (counts[subject] ?? 0) + 1
      return counts
    },
    async backUp(zone) {
      await world.stopZone(zone)
      rmSync(kept(zone), { recursive: true, force: true })
      cpSync(world.homes[zone].root, kept(zone), { recursive: true, preserveTimestamps: true })
      const made = new Date()
      await world.startZone(zone)
      return made
    },
    async lose(zone) {
      await world.stopZone(zone)
      rmSync(world.homes[zone].root, { recursive: true })
    },
    restore(zone, made) {
      // As a backup has it: the clone and other caches are made anew.
      for (const cache of ['repo.git', 'heartbeats.git'])
        rmSync(join(kept(zone), 'state', cache), { recursive: true, force: true })
      bumpRestoreEpoch(join(kept(zone), 'state'), made)
      cpSync(kept(zone), world.homes[zone].root, { recursive: true, preserveTimestamps: true })
    },
    run: (command) =>
      new Promise((resolve, reject) => {
        const args = command.replace(/^npx countersign /, '').split(' ')
        const main = join(import.meta.dirname, '../../cli/main.ts')
        execFile(
          process.execPath,
          [main, ...args],
          { cwd: root, env: { PATH: process.env.PATH } },
          (error, out, err) => (error ? reject(new Error(`${command}: ${out}${err}`)) : resolve(out)),
        )
      }),
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]()
      rmSync(root, { recursive: true, force: true })
    },
  }
  function pending(file: string): string {
    const home = world.homes.local.vault
    const domain = readdirSync(join(home, 'Pending_Approval')).find((one) =>
      existsSync(join(home, 'Pending_Approval', one, file)),
    )
    return join(home, 'Pending_Approval', domain ?? 'email', file)
  }
  return self
}

export function textOf(world: World, zone: Zone, path: string): string {
  return readFileSync(join(world.homes[zone].vault, path), 'utf8')
}
