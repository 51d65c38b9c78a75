import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { compareOdoo, type OdooContents } from '#core/backup-manifest.ts'
import { CountersignError } from '#core/errors.ts'
import type { Finding } from '#core/finding.ts'
import { ATTACHMENTS, type Counted, HAS_ATTACHMENTS, parseCounts, ROWS, SUMS } from './odoo-counts.ts'
import { startTrialOdoo } from './odoo-trial.ts'
import { runProgram, type Server, serverEnvironment } from './run-program.ts'

/** The dump in a backup, and the folder of the files that belong to it. */
export const DUMP = 'odoo.dump'
const filesBelow = (folder: string, database: string) => join(folder, 'odoo', 'filestore', database)
const STARTING_MS = 60_000
const SQL = ['psql', '-qAtX', '-v', 'ON_ERROR_STOP=1']

/**
 * Dumps Odoo's database, then copies its files: a file is written before the row that names it, so that a copy made
 * afterwards has them all. Rows and sums are counted in the very snapshot of the database that is dumped. `home` is the
 * zone's. Throws ERR_BACKUP_FAILED.
 */
export async function dumpOdoo(home: string, server: Server, database: string, folder: string): Promise<OdooContents> {
  const env = { ...serverEnvironment(server), PGDATABASE: database }
  const what = `dumping Odoo's database ${database}`
  await using session = openSession(what, env)
  await session.ask('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;')
  const snapshot = (await session.ask('SELECT pg_export_snapshot();')).trim()
  const version = (await session.ask('SHOW server_version;')).trim()
  const counted = await count(session.ask)
  const output = ['-Fc', '--no-owner', '--no-privileges', '--snapshot', snapshot, '-f', join(folder, DUMP)]
  await runProgram(what, ['pg_dump', ...output], env)
  const to = filesBelow(folder, database)
  await mkdir(to, { recursive: true, mode: 0o700 })
  if (existsSync(filesBelow(home, database))) await cp(filesBelow(home, database), to, { recursive: true })
  const attachments = await soundFiles(to, counted)
  return { database, server: version, tables: counted.tables, sums: counted.sums, attachments }
}

/**
 * Restores a dump into a PostgreSQL of its own, which has no network and is thrown away, and counts: an exit code of
 * pg_restore says little. The folder is that of a restored backup. `place`: shared with a trial Odoo, which is started on
 * what was found whole; the books must add up to the same after that, too.
 */
export async function tryOutOdoo(folder: string, made: OdooContents, place?: string): Promise<Finding[]> {
  await using scratch = await scratchServer(join(folder, 'trial-postgres'), place)
  const server = { host: scratch.socket, user: 'postgres' }
  try {
    await load(server, 'trial', join(folder, DUMP))
  } catch (error) {
    const found = error instanceof Error ? error.message : 'failed'
    return [{ check: 'Odoo', result: 'failed', found }]
  }
  const findings = compareOdoo(made, await countedOf(server, 'trial', filesBelow(folder, made.database)))
  if (place === undefined || findings.some(({ result }) => result === 'failed')) return findings
  await runProgram('making a user for the trial', [...SQL, '-d', 'postgres'], serverEnvironment(server), TRIAL_USER)
  const started = await startTrialOdoo(place)
  const { sums } = await countedOf(server, 'trial', filesBelow(folder, made.database))
  const changed = Object.keys(made.sums).find((name) => sums[name] !== made.sums[name])
  if (started.result !== 'ok' || changed === undefined) return [...findings, started]
  const found = `${changed} was ${made.sums[changed]}, and is ${sums[changed]} since it was started`
  return [...findings, { ...started, result: 'failed', found }]
}

/** Odoo refuses to work as `postgres`. */
const TRIAL_USER = 'CREATE ROLE odoo SUPERUSER LOGIN;'

/**
 * Puts Odoo's database back on a server that has none of this name: under another name, counted, and renamed when it is
 * what it was. `folder` has the dump, `home` the files, which are in place. Throws ERR_RESTORE_REFUSED, ERR_BACKUP_DAMAGED.
 */
export async function loadOdoo(home: string, server: Server, folder: string, made: OdooContents): Promise<Finding[]> {
  const { database } = made
  const unfinished = `${database}.restoring`
  const env = { ...serverEnvironment(server), PGDATABASE: 'postgres' }
  const sql = (text: string, ...values: string[]) =>
    runProgram(`restoring Odoo's database ${database}`, [...SQL, ...values.flatMap((one) => ['-v', one])], env, text)
  const there = await sql("SELECT 1 FROM pg_database WHERE datname = :'name';", `name=${database}`)
  if (there.trim() === '1')
    throw new CountersignError('ERR_RESTORE_REFUSED', `restoring Odoo's database: ${database} is there already`)
  await sql('DROP DATABASE IF EXISTS :"name";', `name=${unfinished}`)
  await load(server, unfinished, join(folder, DUMP))
  const findings = compareOdoo(made, await countedOf(server, unfinished, filesBelow(home, database)))
  const fault = findings.find(({ result }) => result === 'failed')
  if (fault) throw new CountersignError('ERR_BACKUP_DAMAGED', `restoring Odoo's database ${database}: ${fault.found}`)
  await sql('ALTER DATABASE :"old" RENAME TO :"new";', `old=${unfinished}`, `new=${database}`)
  return findings
}

async function load(server: Server, database: string, dump: string): Promise<void> {
  const env = serverEnvironment(server)
  const what = 'restoring Odoo’s dump'
  await runProgram(what, ['createdb', '-T', 'template0', '-E', 'UTF8', '-l', 'C.UTF-8', database], env)
  const strict = ['--exit-on-error', '--no-owner', '--no-privileges']
  await runProgram(what, ['pg_restore', ...strict, '-d', database, dump], env)
}

async function countedOf(server: Server, database: string, files: string) {
  const env = { ...serverEnvironment(server), PGDATABASE: database }
  const counted = await count((text) => runProgram('counting what was restored', SQL, env, text))
  return { ...counted, attachments: await soundFiles(files, counted) }
}

async function count(ask: (sql: string) => Promise<string>): Promise<Counted> {
  const hasFiles = (await ask(HAS_ATTACHMENTS)).trim() === 't'
  return parseCounts([await ask(ROWS), await ask(SUMS), hasFiles ? await ask(ATTACHMENTS) : ''].join('\n'))
}

/** How many of the files are there, with the bytes that Odoo knows. */
async function soundFiles(folder: string, { files }: Counted): Promise<number> {
  let sound = 0
  for (const { path, sha1 } of files) {
    const bytes = await readFile(join(folder, path)).catch(() => undefined)
    if (bytes && createHash('sha1').update(bytes).digest('hex') === sha1) sound++
  }
  return sound
}

/** A psql that stays, so that what it began holds: each question's answer ends with a mark. */
function openSession(what: string, env: Readonly<Record<string, string>>) {
  const child = spawn(SQL[0] as string, SQL.slice(1), { env, stdio: ['pipe', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = `${errors}${text}`.slice(-2_000)
  })
  child.stdin.on('error', () => {})
  const ended = new Promise<never>((_resolve, reject) => {
    const fail = (cause?: unknown) =>
      reject(
        new CountersignError('ERR_BACKUP_FAILED', `${what}: ${errors.trim().slice(0, 400) || 'psql ended'}`, { cause }),
      )
    child.once('error', fail)
    child.once('close', () => fail())
  })
  ended.catch(() => {}) // Asked for by whoever waits for an answer.
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const MARK = '-- answered --'
  const answer = async () => {
    let text = ''
    for (;;) {
      const { value, done } = await lines.next()
      if (done) return ended
      if (value === MARK) return text
      text += `${value}\n`
    }
  }
  return {
    ask(sql: string): Promise<string> {
      child.stdin.write(`${sql}\n\\echo ${MARK}\n`)
      return Promise.race([answer(), ended])
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      child.kill()
    },
  }
}

/** A PostgreSQL in a folder, on a socket. Its own user may not be root, who is refused by PostgreSQL. */
async function scratchServer(folder: string, place?: string) {
  // The name of a socket has to be short.
  const socket = await mkdtemp(join(tmpdir(), 'pg-'))
  const env = serverEnvironment({ host: socket, user: 'postgres' })
  const sockets = place === undefined ? [] : ['', '.lock'].map((end) => join(place, `.s.PGSQL.5432${end}`))
  const clear = async () => {
    await rm(folder, { recursive: true, force: true })
    for (const left of sockets) await rm(left, { force: true })
    await rm(socket, { recursive: true, force: true })
  }
  // Of a trial that was killed.
  for (const left of sockets) await rm(left, { force: true })
  try {
    const how = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions']
    await runProgram('making a database to try the dump in', ['initdb', '-D', folder, ...how], env)
  } catch (error) {
    await clear()
    throw error
  }
  const options = [
    ...[
      'listen_addresses=',
      `unix_socket_directories=${[socket, ...(place === undefined ? [] : [place])].join()}`,
      'fsync=off',
      'shared_buffers=32MB',
    ],
    ...['full_page_writes=off', 'autovacuum=off', 'max_connections=10', 'dynamic_shared_memory_type=mmap'],
  ]
  const child = spawn('postgres', ['-D', folder, ...options.flatMap((one) => ['-c', one])], { env, stdio: 'ignore' })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const stop = async () => {
    child.kill('SIGQUIT')
    await exited
    await clear()
  }
  const deadline = Date.now() + STARTING_MS
  while (!(await readdir(socket)).includes('.s.PGSQL.5432') || !(await isReady(env))) {
    if (Date.now() > deadline || child.exitCode !== null) {
      await stop()
      throw new CountersignError('ERR_BACKUP_FAILED', 'starting a database to try the dump in: it did not come up')
    }
    await setTimeout(100)
  }
  return { socket, [Symbol.asyncDispose]: stop }
}

function isReady(env: Readonly<Record<string, string>>): Promise<boolean> {
  return runProgram('waiting for it', ['pg_isready', '-q'], env).then(
    () => true,
    () => false,
  )
}
