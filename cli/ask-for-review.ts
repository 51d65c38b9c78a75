import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { CountersignError } from '#core/errors.ts'
import type { ReviewedItem } from '#core/ports/journal.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import { asksForReview, isReview, itemsInReview, reviewDigest, ticksInReview } from '#core/review.ts'
import { REVIEW_SHEET, type VaultPath } from '#core/vault-path.ts'
import { decideZone } from '#core/zone-policy.ts'
import type { ZoneHome } from './zone-home.ts'

const ANSWER_LIMIT_MS = 10_000
const LOOK_EVERY_MS = 200

export interface AskedReview {
  readonly path: VaultPath
  /** The ids of the drafts that have a box in it. */
  readonly drafts: readonly string[]
}

/**
 * Asks the executor for a review sheet, as an empty note does, and waits for it. A sheet that is there already gives way
 * once its ticks are obeyed. Throws ERR_ZONE_FORBIDDEN in the cloud; ERR_TASK_STATE for a note of the person's own in its
 * place; ERR_NOT_RUNNING when the executor does nothing about it in time.
 */
export async function askForReview(home: ZoneHome, limitMs = ANSWER_LIMIT_MS): Promise<AskedReview> {
  const zone = decideZone(home.zone, 'general', 'approve')
  if (!zone.allow)
    throw new CountersignError('ERR_ZONE_FORBIDDEN', `asking for a review sheet in the ${home.zone} zone: ${zone.rule}`)
  const vault = await openVault(home.vault)
  const deadline = performance.now() + limitMs
  let isAsked = await ask(vault, home)
  while (performance.now() < deadline) {
    await delay(LOOK_EVERY_MS)
    if (!isAsked) isAsked = await ask(vault, home)
    const text = isAsked ? ((await vault.read(REVIEW_SHEET)) ?? '') : ''
    if (isReview(text)) return { path: REVIEW_SHEET, drafts: itemsInReview(text) }
  }
  const found = isAsked ? 'has not written it; it will once it runs' : 'has not obeyed what was ticked or changed in it'
  throw new CountersignError('ERR_NOT_RUNNING', `waiting for ${REVIEW_SHEET}: the executor ${found}`)
}

/** False while something in the sheet that is there still waits for the executor. */
async function ask(vault: VaultPort, home: ZoneHome): Promise<boolean> {
  const text = await vault.read(REVIEW_SHEET)
  if (text === undefined) return (await vault.create(REVIEW_SHEET, '')) === 'created'
  if (asksForReview(text)) return true
  if (!isReview(text))
    throw new CountersignError(
      'ERR_TASK_STATE',
      `replacing ${REVIEW_SHEET}: it is a note of your own; move it away first`,
    )
  const items = writtenItems(home, reviewDigest(text))
  const ticked = new Set<string>(ticksInReview(text))
  for (const { taskId, path } of items ?? [])
    if (ticked.has(taskId) && (await vault.exists(path as VaultPath))) return false
  // Unknown: it was changed, and the executor keeps it aside and writes another by itself.
  return items !== undefined && (await vault.replaceIf(REVIEW_SHEET, text, '')) === 'replaced'
}

/** What the executor's journal knows of a sheet; read beside a running executor. */
function writtenItems(home: ZoneHome, digest: string): ReviewedItem[] | undefined {
  const file = join(home.state, 'journal.sqlite')
  if (!existsSync(file)) return undefined
  using database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  // A journal of an earlier version knows no sheets.
  if (!database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'reviews'").get()) return undefined
  const row = database.prepare('SELECT items FROM reviews WHERE digest = ? ORDER BY seq DESC').get(digest)
  return row && (JSON.parse(String(row.items)) as ReviewedItem[])
}
