import { chown, stat } from 'node:fs/promises'
import type { ZoneHome } from '../zone-home.ts'

/** A file that root wrote is to be the zone's own, whose services run as its user. */
export async function giveToOwner({ secrets }: ZoneHome, file: string): Promise<void> {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = await stat(secrets)
  await chown(file, uid, gid)
}
