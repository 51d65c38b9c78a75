import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ZoneNews, zoneNews } from '#core/zone-news.ts'

/** What the zone's health service last told; nothing wrong, and nobody heard of, when it never told anything. */
export async function readZoneNews(stateDir: string, now: number): Promise<ZoneNews> {
  return zoneNews(await readFile(join(stateDir, 'status.json'), 'utf8').catch(() => ''), now)
}
