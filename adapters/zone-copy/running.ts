import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SERVICE_LOCK } from './own-folder.ts'

/** Health writes it every two seconds, and removes it when it stops. */
const FRESH_MS = 60_000

/**
 * What shows that a zone home is in use, in words; undefined: nothing does. A database that another process has open
 * cannot be taken out of its journal mode: that is asked of each, and changes nothing. Works for containers on this
 * machine, too.
 */
export async function signOfUse(home: string, now: number): Promise<string | undefined> {
  const state = join(home, 'state')
  const status = await stat(join(state, 'status.json')).catch(() => undefined)
  if (status && now - status.mtimeMs < FRESH_MS) return 'its health service wrote its status within the last minute'
  for (const name of await readdir(state).catch(() => []))
    if (name.endsWith('.sqlite') && isOpenElsewhere(join(state, name))) return `another process has state/${name} open`
  const service = join(home, 'backup', SERVICE_LOCK)
  if (existsSync(service) && isOpenElsewhere(service)) return 'its backup service runs'
  if (existsSync(join(home, 'odoo-db', 'postmaster.pid')))
    return 'Odoo’s database runs (if it was killed: start it and stop it, or remove odoo-db/postmaster.pid)'
  if (await answers(join(home, 'hub', 'vault.git', 'gate.sock'))) return 'the hub’s gate answers'
  return undefined
}

function isOpenElsewhere(path: string): boolean {
  try {
    using database = new DatabaseSync(path, { timeout: 500 })
    const { journal_mode: before } = database.prepare('PRAGMA journal_mode').get() ?? {}
    if (before !== 'wal') {
      database.exec('BEGIN EXCLUSIVE; ROLLBACK')
      return false
    }
    const { journal_mode: mode } = database.prepare('PRAGMA journal_mode = DELETE').get() ?? {}
    if (mode !== 'delete') return true
    database.exec('PRAGMA journal_mode = WAL')
    return false
  } catch (error) {
    // SQLITE_BUSY, SQLITE_LOCKED. What is damaged is no sign of use: it may be why a backup is put back.
    return error instanceof Error && 'errcode' in error && [5, 6].includes(Number(error.errcode) & 0xff)
  }
}

function answers(socket: string): Promise<boolean> {
  if (!existsSync(socket)) return Promise.resolve(false)
  return new Promise((resolve) => {
    const connection = createConnection(socket)
    connection.once('connect', () => {
      connection.destroy()
      resolve(true)
    })
    connection.once('error', () => resolve(false))
  })
}
