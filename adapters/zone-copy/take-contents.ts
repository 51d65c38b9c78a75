import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pipeline } from 'node:stream/promises'
import { type BackupContents, MANIFEST } from '#core/backup-manifest.ts'
import { DATABASE } from './copy-zone.ts'

/** Repositories of the zone, as a backup holds them. */
const BUNDLE = /^(hub|state)\/[^/]+\.bundle$/

export type RefsOf = (bundle: string) => Promise<Record<string, string>>

/**
 * What a folder holds, read to the last byte: the digest of each file, the rows of each sound database, the refs of each
 * bundle. A database or bundle that cannot be read is left out, and so is missed. What the person keeps in the vault is a
 * file, whatever it is called: opening a database may write beside it, and a bundle may be a part of a history.
 */
export async function takeContents(folder: string, refsOf: RefsOf): Promise<BackupContents> {
  const files: Record<string, { bytes: number; sha256: string }> = {}
  const databases: Record<string, Record<string, number>> = {}
  const repositories: Record<string, Record<string, string>> = {}
  for (const path of await filesBelow(folder, '')) {
    if (path === MANIFEST) continue
    const full = join(folder, path)
    files[path] = await digestOf(full)
    if (DATABASE.test(path)) {
      const rows = rowsOf(full)
      if (rows) databases[path] = rows
    }
    if (BUNDLE.test(path)) {
      const refs = await refsOf(full).catch(() => undefined)
      if (refs) repositories[path] = refs
    }
  }
  return { files, databases, repositories }
}

async function filesBelow(folder: string, at: string): Promise<string[]> {
  const found: string[] = []
  for (const name of (await readdir(join(folder, at))).sort()) {
    const path = at === '' ? name : `${at}/${name}`
    const info = await lstat(join(folder, path))
    if (info.isDirectory()) found.push(...(await filesBelow(folder, path)))
    else if (info.isFile()) found.push(path)
  }
  return found
}

async function digestOf(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  await pipeline(createReadStream(path), async (chunks) => {
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      bytes += chunk.length
      hash.update(chunk)
    }
  })
  return { bytes, sha256: hash.digest('hex') }
}

function rowsOf(path: string): Record<string, number> | undefined {
  try {
    using database = new DatabaseSync(path, { readOnly: true })
    const { integrity_check: verdict } = database.prepare('PRAGMA integrity_check(1)').get() ?? {}
    if (verdict !== 'ok') return undefined
    const tables = database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .all()
    return Object.fromEntries(
      tables.map(({ name }) => {
        const quoted = `"${String(name).replaceAll('"', '""')}"`
        return [String(name), Number(database.prepare(`SELECT count(*) AS rows FROM ${quoted}`).get()?.rows)]
      }),
    )
  } catch {
    return undefined
  }
}
