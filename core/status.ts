import { z } from 'zod'
import { checkedSchema, type FoundDependency, MAX_SKEW_MS, sayBad } from './dependencies.ts'
import { isScanRule } from './scan-changes.ts'
import { numbersSchema } from './service-report.ts'
import { SILENT_AFTER_MS, type SignOfLife, sayMinute, signSchema } from './sign-of-life.ts'
import { ZONES } from './zone-policy.ts'

const count = z.int().nonnegative()

const serviceSchema = z.strictObject({
  name: z.string(),
  /** Answers, and real work progresses. */
  live: z.boolean(),
  /** All it needs (Redis, mail server, hub) can be reached. */
  ready: z.boolean(),
  /** What is missing, in its own words; absent when ready. */
  detail: z.string().max(500).optional(),
})

const vaultSchema = z.strictObject({
  needs_action: count,
  in_progress: z.record(z.string(), count),
  pending: count,
  approved: count,
  rejected: count,
  /** Finished this month (UTC). */
  done: count,
  /** Kept losing sides of conflicts, for the person to look at and delete. */
  conflicts: count,
  halted: z.boolean(),
})

const syncSchema = z.looseObject({
  state: z.string(),
  /** When the status was written. */
  at: z.string(),
  /** What is held back or not carried at all, and the rule. */
  held: z.array(z.looseObject({ path: z.string(), rule: z.string() })).optional(),
  /** When the hub last came back with an older history and got back what is known here. */
  hubRestored: z.looseObject({ at: z.string() }).nullish(),
  /** What the last check of everything found wrong; null before the first. */
  check: z.looseObject({ at: z.string(), problems: z.array(z.string()) }).nullish(),
  /** What the gate refused to take from the hub; null when nothing. */
  quarantine: z.looseObject({ head: z.string().nullable(), faults: z.array(z.string()) }).nullish(),
  /** When the hub last answered; null: not since sync began. */
  hubReachedAt: z.string().nullish(),
  /** When the other agents' heartbeats were last read; null: not since sync began. */
  listenedAt: z.string().nullish(),
  /** When a whole round with the hub last succeeded; null: not since sync began. */
  lastSuccessAt: z.string().nullish(),
  /** The last sign of life of each other agent. */
  others: z.array(signSchema).optional(),
})

const diskSchema = z.strictObject({
  of: z.enum(['vault', 'state']),
  /** Bytes. */
  free: z.number().nonnegative(),
  size: z.number().positive(),
})

const errorSchema = z.strictObject({ code: z.string(), component: z.string(), count, at: z.iso.datetime() })
export type CountedError = z.output<typeof errorSchema>
export type DiskSpace = z.output<typeof diskSchema>

/**
 * The one status document of a zone: written by its health service, read by `countersign status` and by the
 * dashboard. Times are ISO 8601 UTC.
 */
export const statusSchema = z.strictObject({
  schema: z.literal(1),
  zone: z.enum(ZONES),
  agent: z.string(),
  at: z.string(),
  /** `down`: a service does not answer. `degraded`: something needs a look. */
  health: z.enum(['ok', 'degraded', 'down']),
  /** One sentence each, the gravest first; empty when all is well. */
  problems: z.array(z.string()),
  services: z.array(serviceSchema),
  vault: vaultSchema,
  /** What sync last reported; null before its first report. */
  sync: syncSchema.nullable(),
  /** Of the disks that the zone writes to. */
  disks: z.array(diskSchema).optional(),
  /** What the zone works with, as each was last found. */
  checked: z.array(checkedSchema).optional(),
  /** The last errors of each service by code, newest first; how often since it began. */
  errors: z.array(errorSchema).optional(),
  /** What the executor has done since it began; only in the local zone. */
  numbers: numbersSchema.optional(),
})

export type StatusDocument = z.output<typeof statusSchema>
export type ServiceStatus = z.output<typeof serviceSchema>
export type VaultCounts = z.output<typeof vaultSchema>
export type SyncReport = z.output<typeof syncSchema>

/** Older than this, a status document says nothing about now: the health service itself is away. */
export const STATUS_FRESH_MS = 20_000

/** Less than one of these is little: of the disk, and in bytes. */
const LITTLE_SPACE = { share: 0.1, bytes: 1024 ** 3 }
/** So many files that are held back are named. */
const MAX_TOLD = 5
/** So long a trouble that is over is still told. */
const TOLD_FOR_MS = 24 * 3_600_000

/** A status document read back from disk; undefined when it is not one. */
export function parseStatus(text: string): StatusDocument | undefined {
  try {
    return statusSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** What sync wrote of itself; null when it is no report. */
export function parseSyncReport(text: string): SyncReport | null {
  try {
    return syncSchema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** Whether sync, by its report, has finished a whole round with the hub since then (ms). A moment that lies ahead is none. */
export function wasHeldAgainstHub(report: string, sinceMs: number, nowMs: number): boolean {
  const at = Date.parse(parseSyncReport(report)?.lastSuccessAt ?? '')
  return at >= sinceMs && at <= nowMs
}

export function isFresh(status: StatusDocument, nowMs: number): boolean {
  return nowMs - Date.parse(status.at) < STATUS_FRESH_MS
}

/** Puts the facts together and judges them. */
export function makeStatus(facts: Omit<StatusDocument, 'schema' | 'health' | 'problems'>): StatusDocument {
  const silent = facts.services.filter((service) => !service.live)
  const unready = facts.services.filter((service) => service.live && !service.ready)
  const problems = [
    ...silent.map((service) => `${service.name} does not answer`),
    ...unready.map((service) => `${service.name} is not ready: ${service.detail ?? 'no reason given'}`),
    ...syncProblems(facts.sync, Date.parse(facts.at)),
    ...silentAgents(facts.sync).map(saySilent),
    ...clockProblems(facts.sync),
    ...diskProblems(facts.disks),
    ...sayBad(facts.checked ?? []),
    ...(facts.vault.halted ? ['HALT.md is present: nothing is executed'] : []),
    ...(facts.vault.conflicts > 0 ? [`${facts.vault.conflicts} conflict copies to look at`] : []),
  ]
  return { schema: 1, ...facts, health: silent.length > 0 ? 'down' : problems.length > 0 ? 'degraded' : 'ok', problems }
}

/** Only one that is ahead can be told from a message that took long: of two clocks, one of the two machines sees it. */
function clockProblems(sync: SyncReport | null): string[] {
  return (sync?.others ?? []).flatMap(({ agent, claimedAt, seenAt }) => {
    const aheadMs = Date.parse(claimedAt ?? '') - Date.parse(seenAt ?? '')
    if (!(aheadMs > MAX_SKEW_MS)) return []
    return [`the clock of ${agent} is ahead of this machine's, or this one is behind: one of the two is wrong`]
  })
}

/** In words that stay the same while the disk fills up further. */
function diskProblems(disks: readonly DiskSpace[] = []): string[] {
  return disks.filter(isNearlyFull).map(({ of }) => `the disk of the zone's ${of} ${NEARLY_FULL}`)
}

const NEARLY_FULL = 'is nearly full: less than a tenth and less than 1 GiB is free'

function isNearlyFull({ free, size }: DiskSpace): boolean {
  return free < LITTLE_SPACE.bytes && free / size < LITTLE_SPACE.share
}

export function foundDisks(disks: readonly DiskSpace[]): FoundDependency[] {
  return disks.map((disk) => {
    const { of } = disk
    return isNearlyFull(disk)
      ? { what: 'disk', of, state: 'bad', detail: `it ${NEARLY_FULL}` }
      : { what: 'disk', of, state: 'ok' }
  })
}

/**
 * Agents of the cloud, which is meant to be there always, that said nothing although we listened. A machine that slept, or
 * is offline, has heard nobody: that is no silence of theirs, nor is it before the first look at heartbeats since.
 */
export function silentAgents(sync: SyncReport | null): SignOfLife[] {
  const heard = { hubReachedAt: sync?.listenedAt }
  return (sync?.others ?? []).filter(({ zone, at }) => zone === 'cloud' && at !== null && isQuiet(at, heard))
}

/** Whether an agent whose last sign was made at `at` had said nothing for some minutes when the hub last answered. */
export function isQuiet(at: string, sync: Pick<SyncReport, 'hubReachedAt'> | null): boolean {
  return Date.parse(sync?.hubReachedAt ?? '') - Date.parse(at) > SILENT_AFTER_MS
}

export function saySilent({ agent, at }: SignOfLife): string {
  const who = agent === 'cloud' ? 'the cloud zone' : `${agent}, of the cloud zone,`
  return `${who} has said nothing since ${sayMinute(at ?? '')}: no mail is read and nothing is drafted there`
}

function syncProblems(sync: SyncReport | null, nowMs: number): string[] {
  if (!sync) return []
  const restoredAt = sync.hubRestored?.at ?? ''
  return [
    ...(sync.state === 'ok' ? [] : [`sync: ${sync.state}`]),
    ...(sync.held ?? [])
      .filter(({ rule }) => isScanRule(rule))
      .slice(0, MAX_TOLD)
      .map(({ path, rule }) => `sync holds back ${path}: ${rule}`),
    ...(sync.check?.problems ?? [])
      .slice(0, MAX_TOLD)
      .map((problem) => `the check of everything, ${sayMinute(sync.check?.at ?? '')}: ${problem}`),
    ...(nowMs - Date.parse(restoredAt) < TOLD_FOR_MS
      ? [`the hub had lost its newest history, found and put back ${sayMinute(restoredAt)}`]
      : []),
  ]
}
