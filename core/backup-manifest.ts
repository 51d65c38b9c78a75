import { z } from 'zod'
import type { Finding } from './finding.ts'
import { ZONES } from './zone-policy.ts'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.int().nonnegative()
const counts = z.record(z.string(), count)

const contentsSchema = z.strictObject({
  /** Every file below the folder but the manifest, by its path. */
  files: z.record(z.string(), z.strictObject({ bytes: count, sha256 })),
  /** Rows of each table, by the path of the database. */
  databases: z.record(z.string(), counts),
  /** Where each ref stood, by the path of the bundle. */
  repositories: z.record(z.string(), z.record(z.string(), z.string().regex(/^[0-9a-f]{40,64}$/))),
})

const odooSchema = z.strictObject({
  database: z.string(),
  /** Of PostgreSQL. */
  server: z.string(),
  /** Rows of each table, counted in the same snapshot of the database as the dump. */
  tables: counts,
  /** What has to be the same to the cent: name → decimal number as PostgreSQL writes it. */
  sums: z.record(z.string(), z.string()),
  /** Files of attachments in the filestore. */
  attachments: count,
})

const manifestSchema = z.strictObject({
  format: z.literal(1),
  zone: z.enum(ZONES),
  agent: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/),
  /** The version of this program that made it. */
  program: z.string(),
  made: z.iso.datetime(),
  contents: contentsSchema,
  odoo: odooSchema.optional(),
})

/** What a folder that is backed up holds, so that another one can be held against it. */
export type BackupContents = z.infer<typeof contentsSchema>
export type OdooContents = z.infer<typeof odooSchema>
/** What a backup says of itself; it stands in the snapshot, in the file `MANIFEST`. */
export type BackupManifest = z.infer<typeof manifestSchema>

export const MANIFEST = 'manifest.json'
const MAX_NAMED = 5

/** Undefined: the text is no manifest. */
export function parseManifest(text: string): BackupManifest | undefined {
  try {
    const parsed = manifestSchema.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** Holds what was found against what was backed up: one finding for files, databases and repositories each. */
export function compareContents(made: BackupContents, found: BackupContents): Finding[] {
  return [
    finding('files', `${Object.keys(made.files).length} are as they were backed up`, fileFaults(made, found)),
    finding(
      'databases',
      `${Object.keys(made.databases).length} are sound and have as many rows as they had`,
      nestedFaults(made.databases, found.databases, sayRows),
    ),
    finding(
      'repositories',
      `${Object.keys(made.repositories).length} are whole, and each ref stands where it stood`,
      nestedFaults(made.repositories, found.repositories, (oid = 'nowhere') => `at ${oid.slice(0, 12)}`),
    ),
  ]
}

/** As `compareContents`, for Odoo's database. */
export function compareOdoo(
  made: OdooContents,
  found: Pick<OdooContents, 'tables' | 'sums' | 'attachments'>,
): Finding[] {
  const rowFaults = nestedFaults({ Odoo: made.tables }, { Odoo: found.tables }, sayRows)
  const sumFaults = nestedFaults({ Odoo: made.sums }, { Odoo: found.sums }, (sum = 'nothing') => sum)
  const missing =
    made.attachments > found.attachments ? [`${made.attachments} attachments, found ${found.attachments}`] : []
  const tables = Object.keys(made.tables).length
  return [
    finding('Odoo', `${tables} tables with their rows and sums, and every attachment`, [
      ...rowFaults,
      ...sumFaults,
      ...missing,
    ]),
  ]
}

function sayRows(rows: number | undefined): string {
  return rows === undefined ? 'is missing' : `${rows} rows`
}

function finding(check: string, good: string, faults: readonly string[]): Finding {
  if (faults.length === 0) return { check, result: 'ok', found: good }
  const more = faults.length > MAX_NAMED ? `; and ${faults.length - MAX_NAMED} more` : ''
  return { check, result: 'failed', found: faults.slice(0, MAX_NAMED).join('; ') + more, hint: DAMAGED_HINT }
}

export const DAMAGED_HINT =
  'This backup is damaged: do not count on it. Make another now (`countersign backup now`), and look at the disk or server it stands on; an older one may be whole (`countersign backup check --snapshot …`).'

function fileFaults(made: BackupContents, found: BackupContents): string[] {
  const lost = Object.entries(made.files).flatMap(([path, { bytes, sha256 }]) => {
    const there = found.files[path]
    if (!there) return [`${path}: missing`]
    if (there.bytes !== bytes) return [`${path}: ${there.bytes} bytes instead of ${bytes}`]
    return there.sha256 === sha256 ? [] : [`${path}: other bytes than were backed up`]
  })
  const strange = Object.keys(found.files).filter((path) => !Object.hasOwn(made.files, path))
  return [...lost, ...strange.map((path) => `${path}: was not backed up, and is there`)]
}

function nestedFaults<V>(
  made: Readonly<Record<string, Readonly<Record<string, V>>>>,
  found: Readonly<Record<string, Readonly<Record<string, V>>>>,
  say: (value: V | undefined) => string,
): string[] {
  return Object.entries(made).flatMap(([path, values]) => {
    const there = found[path]
    if (!there) return [`${path}: missing or unreadable`]
    const names = [...new Set([...Object.keys(values), ...Object.keys(there)])]
    return names.flatMap((name) =>
      values[name] === there[name] ? [] : [`${path}: ${name} ${say(there[name])} instead of ${say(values[name])}`],
    )
  })
}
