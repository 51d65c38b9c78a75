import { spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { parseBackupTarget } from '#core/backup-target.ts'
import { CountersignError } from '#core/errors.ts'
import type { BackupStore, Snapshot } from '#core/ports/backup-store.ts'
import { FULL, faultOf } from './restic-fault.ts'

export interface ResticOptions {
  /** A path, `sftp:user@host:/path` or `s3:https://host/bucket/path`. */
  readonly target: string
  readonly passwordFile: string
  /** A folder of this store's alone, which may be thrown away. */
  readonly cacheDir: string
  /** For s3: two lines, the access key's id and the secret. */
  readonly s3KeyFile?: string
  /** For sftp: this key, and the hosts that are known. */
  readonly ssh?: { readonly keyFile: string; readonly knownHostsFile: string }
  /** `host:port` of an HTTP proxy that is the only way out. */
  readonly egress?: string
  /** Aborting ends what runs; restic clears up behind itself. */
  readonly signal?: AbortSignal
  /** Called at each sign of progress. */
  readonly onProgress?: () => void
}

/** Where restic and what it needs are looked for; the rest of this process's environment is not handed on. */
const SEARCH_PATH = '/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'
const TAG = 'countersign'
/** Safe where others can add snapshots: the last ones stay whatever their dates, beside what is young enough. */
const RETENTION = [
  ...['--keep-last', '7'],
  ...['--keep-within', '14d'],
  ...['--keep-within-weekly', '3m'],
  ...['--keep-within-monthly', '2y'],
]
const CHECK_PARTS = 4
const RETRYING = /returned error, retrying after/
const DAMAGE_MET = /ciphertext verification failed|hash does not match|invalid data returned|unexpected EOF/
const MAX_TRIES_IN_VAIN = 3
const MAX_ERROR_CHARS = 20_000

const snapshotSchema = z.object({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  time: z.string(),
  hostname: z.string().default(''),
  tags: z.array(z.string()).nullish(),
})
const configSchema = z.object({ id: z.string().regex(/^[0-9a-f]{64}$/) })

/** Backups by restic, which encrypts all of it, names included, before it leaves the machine. See docs/backup.md. */
export function openRestic(options: ResticOptions): BackupStore {
  const { target } = options
  mkdirSync(options.cacheDir, { recursive: true, mode: 0o700 })
  const run = (args: readonly string[], folder?: string) => runRestic(options, args, folder)
  const snapshots = async (args: readonly string[]) => snapshotsOf(target, await run(args))

  const list = () => snapshots(['snapshots', '--json', '--no-lock', '--tag', TAG])
  return {
    target,
    async id() {
      refuseMissingDisk(target)
      const config = await run(['cat', 'config', '--no-lock']).catch((error: unknown) => {
        if (error instanceof CountersignError && error.details.isMissing) return undefined
        throw error
      })
      return config === undefined ? undefined : parsed(target, configSchema, config).id
    },
    async create() {
      refuseMissingDisk(target)
      await run(['init'])
    },
    async save(folder, { agent, zone }) {
      // Locks of processes that are gone; those of others stay.
      await run(['unlock'])
      const tags = ['--tag', `${TAG},${zone}`, '--host', agent]
      // The folder is made anew each time, so that restic reads all of it: size and date alone do not say that a file is the same.
      const output = await run(['backup', '--json', ...tags, '.'], folder)
      const summary = output.split('\n').findLast((line) => line.includes('"message_type":"summary"'))
      return parsed(target, z.object({ snapshot_id: z.string().min(8) }), summary ?? '').snapshot_id
    },
    list,
    async restore(id, folder) {
      await run(['restore', id, '--no-lock', '--target', folder])
    },
    async check(part) {
      const data = part === undefined ? ['--read-data'] : [`--read-data-subset=${part}/${CHECK_PARTS}`]
      await run(['check', '--no-lock', ...data])
    },
    async forget(agent) {
      await run(['forget', '--prune', '--host', agent, '--tag', TAG, '--group-by', 'host', ...RETENTION])
      return (await list()).filter((one) => one.agent === agent)
    },
  }
}

/** A disk that is not mounted must not be mistaken for a new place. */
function refuseMissingDisk(target: string): void {
  if (!target.startsWith('/') || existsSync(target) || existsSync(dirname(target))) return
  throw new CountersignError(
    'ERR_BACKUP_UNREACHABLE',
    `looking for the backups in ${target}: ${dirname(target)} is not there`,
  )
}

/** What restic said on standard output; throws as `BackupStore` does. */
export async function runRestic(options: ResticOptions, args: readonly string[], folder?: string): Promise<string> {
  const { target, signal, onProgress } = options
  const what = `restic ${args[0]} at ${target}`
  const child = spawn('restic', [...sshArguments(options), ...args], {
    cwd: folder ?? options.cacheDir,
    env: await environmentOf(options),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stop = () => void child.kill('SIGINT')
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  let output = ''
  let errors = ''
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => {
    onProgress?.()
    // A line of progress says nothing afterwards.
    if (!line.startsWith('{"message_type":"status"')) output += `${line}\n`
  })
  let triesInVain = 0
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    onProgress?.()
    errors = `${errors}${text}`.slice(-MAX_ERROR_CHARS)
    // It would go on for a quarter of an hour: what is damaged or full does not mend, and neither does a disk of this machine.
    const isHopeless = target.startsWith('/') || DAMAGE_MET.test(text) || FULL.test(text)
    if (isHopeless && RETRYING.test(text) && ++triesInVain >= MAX_TRIES_IN_VAIN) stop()
  })
  try {
    const closed = Promise.withResolvers<number | null>()
    child.once('error', closed.reject)
    child.once('close', closed.resolve)
    const exitCode = await closed.promise
    if (exitCode === 0) return output
    throw faultOf(what, { exitCode, errors, isStopped: signal?.aborted === true })
  } catch (error) {
    if (error instanceof CountersignError) throw error
    throw new CountersignError('ERR_BACKUP_FAILED', `${what}: restic could not be started; is it installed?`, {
      cause: error,
    })
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

async function environmentOf({ target, passwordFile, cacheDir, s3KeyFile, egress }: ResticOptions) {
  const [id = '', secret = ''] = s3KeyFile ? (await readFile(s3KeyFile, 'utf8')).split(/\r?\n/) : []
  return {
    PATH: SEARCH_PATH,
    HOME: cacheDir,
    TMPDIR: cacheDir,
    RESTIC_REPOSITORY: target,
    RESTIC_PASSWORD_FILE: passwordFile,
    RESTIC_CACHE_DIR: cacheDir,
    // Tells of its progress although nobody watches.
    RESTIC_PROGRESS_FPS: '0.2',
    ...(egress && { HTTPS_PROXY: `http://${egress}`, HTTP_PROXY: `http://${egress}` }),
    ...(id && { AWS_ACCESS_KEY_ID: id.trim(), AWS_SECRET_ACCESS_KEY: secret.trim() }),
  }
}

/** restic's own way to start ssh, with a key and known hosts instead of a person's. */
function sshArguments({ target, ssh, egress }: ResticOptions): string[] {
  const server = parseBackupTarget(target)
  if (server?.kind !== 'sftp') return []
  const words = [
    ...['ssh', '-F', 'none', '-p', String(server.port), '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=20'],
    ...['-o', 'ServerAliveInterval=30', '-o', 'StrictHostKeyChecking=yes'],
    ...(ssh ? ['-i', ssh.keyFile, '-o', 'IdentitiesOnly=yes', '-o', `UserKnownHostsFile=${ssh.knownHostsFile}`] : []),
    ...(egress ? ['-o', `ProxyCommand=nc -X connect -x ${egress} %h %p`] : []),
    ...[server.address, '-s', 'sftp'],
  ]
  return ['-o', `sftp.command=${words.map((word) => (/[\s"'\\]/.test(word) ? `'${word}'` : word)).join(' ')}`]
}

function snapshotsOf(target: string, output: string): Snapshot[] {
  return parsed(target, z.array(snapshotSchema).nullable(), output)
    ?.map(({ id, time, hostname: agent, tags }) => ({
      ...{ id, agent, at: new Date(time).toISOString() },
      zone: tags?.find((tag) => tag !== TAG) ?? '',
    }))
    .toSorted((a, b) => (a.at < b.at ? -1 : 1)) as Snapshot[]
}

function parsed<T>(target: string, schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text))
  } catch (cause) {
    throw new CountersignError('ERR_BACKUP_FAILED', `reading what restic said of ${target}: not understood`, { cause })
  }
}
