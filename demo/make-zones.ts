import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Zone } from '#core/zone-policy.ts'
import { initZone } from '../cli/init/init-zone.ts'
import { readPairing } from '../cli/init/pairing.ts'
import type { ZoneHome } from '../cli/zone-home.ts'
import type { Mailbox } from './mailbox/mailbox.ts'
import { type ZonePorts, zonePorts } from './zone-processes.ts'

export type MadeZone = { readonly home: ZoneHome; readonly ports: ZonePorts }

type ZonesPlan = {
  readonly root: string
  readonly undoMs: number
  readonly mailbox: Mailbox
  /** For a zone, besides what the mailbox needs. */
  readonly settings: Readonly<Record<Zone, Readonly<Record<string, string>>>>
  readonly secrets: Readonly<Record<Zone, Readonly<Record<string, string>>>>
}

/** Both homes with their keys, paired with each other; settings are written anew, since ports change at each start. */
export async function makeZones(plan: ZonesPlan): Promise<Record<Zone, MadeZone>> {
  const { root, mailbox } = plan
  const ports = await zonePorts()
  const { password } = mailbox.accounts.owner
  const cloudPlan = {
    root: join(root, 'cloud'),
    zone: 'cloud' as const,
    settings: { ...readingSettings(mailbox, ports.cloud.redis), ...plan.settings.cloud },
    secrets: { 'imap-password': password, ...plan.secrets.cloud },
  }
  const localRoot = join(root, 'local')
  await rm(join(cloudPlan.root, '.env.cloud'), { force: true })
  await rm(join(localRoot, '.env.local'), { force: true })
  const cloud = await initZone(cloudPlan)
  const local = await initZone({
    root: localRoot,
    zone: 'local',
    settings: {
      ...readingSettings(mailbox, ports.local.redis),
      ...sendingSettings(mailbox, plan.undoMs),
      ...plan.settings.local,
    },
    secrets: { 'imap-password': password, 'smtp-password': password, ...plan.secrets.local },
    pair: await readPairing(cloud.pairingFile),
  })
  await initZone({ ...cloudPlan, pair: await readPairing(local.pairingFile) })
  return { cloud: { home: cloud.home, ports: ports.cloud }, local: { home: local.home, ports: ports.local } }
}

function readingSettings({ imap, accounts }: Mailbox, redisPort: number): Record<string, string> {
  return {
    COUNTERSIGN_OWNER_ADDRESS: accounts.owner.address,
    COUNTERSIGN_OWNER_NAME: 'Olivia Owner',
    COUNTERSIGN_IMAP_HOST: imap.host,
    COUNTERSIGN_IMAP_PORT: String(imap.port),
    COUNTERSIGN_IMAP_USER: accounts.owner.address,
    COUNTERSIGN_IMAP_TLS: 'none',
    COUNTERSIGN_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
  }
}

function sendingSettings({ smtp, accounts }: Mailbox, undoMs: number): Record<string, string> {
  return {
    COUNTERSIGN_SMTP_HOST: smtp.host,
    COUNTERSIGN_SMTP_PORT: String(smtp.port),
    COUNTERSIGN_SMTP_USER: accounts.owner.address,
    COUNTERSIGN_SMTP_TLS: 'none',
    COUNTERSIGN_UNDO_MS: String(undoMs),
    COUNTERSIGN_NOTIFY_DESKTOP: 'off',
  }
}
