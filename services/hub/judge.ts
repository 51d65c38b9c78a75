import { RESTORE } from '#adapters/git/config.ts'
import { type PushObjects, removeStaleHubLocks } from '#adapters/git/hub.ts'
import { readTrust } from '#adapters/keys/trust-files.ts'
import { SECRETLINT_TRIGGERS } from '#adapters/secretlint/triggers.ts'
import { lazyScan, ruleScan, scanInLayers } from '#core/content-scan.ts'
import { gateTrust } from '#core/gate.ts'
import { judgePush } from './pre-receive.ts'

/** A push as git tells its pre-receive hook of it. */
export interface Push {
  /** `<old> <new> <ref>` a line. */
  readonly updates: string
  /** The quarantine in which its objects stand: GIT_OBJECT_DIRECTORY and GIT_ALTERNATE_OBJECT_DIRECTORIES. */
  readonly objects: string
  readonly alternates: string
  /** Who opened the connection, by the deploy key; empty: not known. */
  readonly agent: string
  readonly option: string
}

const loadSecretlint = async () => (await import('#adapters/secretlint/secretlint.ts')).secretlintScan()
const scan = scanInLayers([ruleScan, lazyScan(SECRETLINT_TRIGGERS, loadSecretlint)])

/** What is wrong with a push, a line for each fault. Who is trusted is read each time: a key revoked now counts now. */
export async function judge(push: Push, objects: PushObjects, gitDir: string, trustDir: string): Promise<string[]> {
  removeStaleHubLocks(gitDir, Date.now())
  const trust = await readTrust(trustDir)
  using reader = objects.of(push, trust.agents)
  return await judgePush(push.updates, reader, {
    ...gateTrust(trust),
    scan,
    // What the hub had lost is put back by whoever has it: each commit's own signature and place say whether it may enter.
    ...(push.agent && push.option !== RESTORE && { pushedBy: push.agent }),
  })
}

/** Whatever goes wrong refuses the push. */
export function gateFailed(error: unknown): string {
  return `countersign: refused gate-failed: ${error instanceof Error ? error.message : String(error)}`
}
