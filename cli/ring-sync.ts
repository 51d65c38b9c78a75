import { openDoorbell } from '#adapters/queue/doorbell.ts'
import { connectRedis } from '#adapters/queue/redis.ts'
import { CountersignError } from '#core/errors.ts'
import { SecretFile } from '#runtime/config.ts'
import type { Cli } from './cli.ts'
import { environmentOf, type ZoneHome } from './zone-home.ts'

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

/** Rings the bell of the zone's sync. Throws ERR_REDIS_UNREACHABLE, ERR_NOT_RUNNING. */
export async function ringSync(home: ZoneHome, given: Cli['env']): Promise<void> {
  // Inside a container the environment says where Redis is, and the settings file does not.
  const env = { ...given, ...environmentOf(home) }
  const url = env.COUNTERSIGN_REDIS_URL
  if (!url) throw new CountersignError('ERR_NOT_RUNNING', `ringing ${home.root}: COUNTERSIGN_REDIS_URL is not set`)
  const file = env.COUNTERSIGN_REDIS_PASSWORD_FILE
  await using redis = await connectRedis(url, file && new SecretFile(file).read(), SILENT)
  await using bell = await openDoorbell(redis, SILENT)
  await bell.ring('sync', 'sync-now', {})
}
