import type { SQLOutputValue } from 'node:sqlite'
import type { FileIdentity } from '#core/file-identity.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { BaseRow } from '#core/ports/sync-store.ts'
import type { VaultPath } from '#core/vault-path.ts'

export type Row = Record<string, SQLOutputValue>

/** Rows with a `path` column as a map by path. */
export function filesOf<T>(rows: readonly Row[], toValue: (row: Row) => T): Map<VaultPath, T> {
  return new Map(rows.map((row) => [String(row.path) as VaultPath, toValue(row)]))
}

export function baseRow(row: Row): BaseRow {
  const identity: FileIdentity | null =
    row.ino === null
      ? null
      : {
          ino: String(row.ino),
          size: Number(row.size),
          mtimeNs: String(row.mtime_ns),
          ctimeNs: String(row.ctime_ns),
        }
  return { oid: String(row.oid) as Oid, identity }
}
