import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { fileNameOf } from '#core/vault-path.ts'
import type { Zone } from '#core/zone-policy.ts'
import { readClientInbox, sendAsClient } from '../../demo/client-mail.ts'
import { presented, readTask, taskOfMail } from '../../demo/evidence.ts'
import { REDIS_SOURCES } from '../../demo/redis.ts'
import { until } from '../../demo/until.ts'
import { openWorld, type World } from '../../demo/world.ts'
import { Attacker } from './git-attacker.ts'
import type { Zones } from './git-zones.ts'
import { commandsOf } from './runbook.ts'

const LIMITS = { limitMs: 180_000, signal: new AbortController().signal }

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
  /** As its backup service does, while it runs. */
  backUp(zone: Zone): Promise<void>
  /** Everything of the zone is gone: its processes, then its home. */
  lose(zone: Zone): Promise<void>
  /** What a section of docs/disasters.md says, line by line. */
  play(title: string): Promise<void>
  headOfHub(): Promise<string>
  historyOfHub(): Promise<string[]>
  /** A thief takes a zone's keys now; called, they try to push such files with them. Gives what the hub says, or `taken`. */
  stealKeys(zone: Zone): (files: Readonly<Record<string, string | null>>) => Promise<string>
  /** The command line, as a document writes it; throws with what it said when it fails. */
  run(command: string): Promise<string>
}

/** As the page writes it. */
const DISK = '/mnt/disk/'

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
  // Where the commands look for the homes.
  symlinkSync('.', join(root, 'zones'))
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
      copyFileSync(join(world.homes[zone].secrets, 'backup-password'), join(root, `${zone}-password.txt`))
      await self.run(`npx countersign --zone ${zone} backup now --target ${DISK}countersign-${zone}`)
    },
    async lose(zone) {
      await world.stopZone(zone)
      // The hub's gate may still be writing its last word.
      rmSync(world.homes[zone].root, { recursive: true, maxRetries: 20, retryDelay: 100 })
    },
    async play(title) {
      let said = ''
      for (const line of commandsOf(title)) {
        const answer = await step(line, said)
        if (answer && line.includes('trust revoke')) said = answer
      }
    },
    headOfHub: async () => (await self.historyOfHub())[0] ?? '',
    async historyOfHub() {
      const { stdout } = await promisify(execFile)('git', ['--git-dir', world.hub, 'rev-list', 'main'])
      return stdout.trim().split('\n')
    },
    stealKeys(zone) {
      const key = join(root, 'stolen')
      copyFileSync(join(world.homes[zone].keys, 'signing'), key)
      const tryOnce = async (files: Readonly<Record<string, string | null>>) => {
        const thief = new Attacker({ root, agents: [] as unknown } as Zones, world.hub)
        const parents = [thief.head()]
        const oid = thief.commit({
          parents,
          files,
          signer: key,
          author: zone,
        })
        const push = ['--git-dir', thief.dir, 'push', world.hub, `${oid}:refs/heads/main`]
        return promisify(execFile)('git', push, { env: { ...process.env, COUNTERSIGN_HUB_AGENT: zone } }).then(
          () => 'taken',
          (error: { stderr: string }) => error.stderr,
        )
      }
      return async (files) => {
        for (let tries = 0; ; tries++) {
          const said = await tryOnce(files)
          // Somebody else's push came in between: that says nothing of the key.
          if (!/fetch first|non-fast-forward|cannot lock ref/.test(said) || tries > 20) return said
        }
      }
    },
    run: (command) =>
      new Promise((resolve, reject) => {
        const args = command
          .replace(/^npx countersign /, '')
          .replace(DISK, `${root}/disk-`)
          .split(' ')
        const main = join(import.meta.dirname, '../../cli/main.ts')
        const env = { PATH: process.env.PATH, COUNTERSIGN_BACKUP_FOLDER: '' }
        execFile(process.execPath, [main, ...args], { cwd: root, env }, (error, out, err) =>
          error ? reject(new Error(`${command}: ${out}${err}`)) : resolve(out),
        )
      }),
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]()
      rmSync(root, { recursive: true, force: true })
    },
  }
  /** One line of a page: our own commands are run as they stand; compose is what brings these zones up and down here. */
  async function step(line: string, said: string): Promise<string | undefined> {
    const compose = /^docker compose -f compose\.(cloud|local)\.yml (up -d|down)$/.exec(line)
    const zone = compose?.[1] as Zone
    if (compose?.[2] === 'up -d') return void (await world.startZone(zone))
    if (compose) return void (await world.stopZone(zone))
    const carried = /^# carry (\S+)$/.exec(line)?.[1]
    if (carried) return void copyFileSync(join(root, carried), join(root, basename(carried)))
    if (line.startsWith('npx countersign ')) return self.run(line.replace('COMMIT', commitIn(said)))
    await promisify(execFile)('sh', ['-ec', line], { cwd: root })
    return undefined
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

function commitIn(said: string): string {
  return /[0-9a-f]{40}/.exec(said)?.[0] ?? 'COMMIT'
}

export function textOf(world: World, zone: Zone, path: string): string {
  return readFileSync(join(world.homes[zone].vault, path), 'utf8')
}
