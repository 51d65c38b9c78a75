import { RESTORE } from '#adapters/git/config.ts'
import { type PushObjects, removeStaleHubLocks } from '#adapters/git/hub.ts'
import { readTrust } from '#adapters/keys/trust-files.ts'
import { messageOf } from '#core/errors.ts'
import { gateTrust } from '#core/gate.ts'
import type { ContentScan } from '#core/ports/content-scan.ts'
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

export interface Hub {
  readonly gitDir: string
  readonly trustDir: string
  readonly objects: PushObjects
  readonly scan: ContentScan
}

/**
 * What is wrong with a push, a line for each fault; whatever goes wrong here is one. Who is trusted is read each time: a
 * key revoked now counts now.
 */
export async function judge(push: Push, { gitDir, trustDir, objects, scan }: Hub): Promise<string[]> {
  try {
    removeStaleHubLocks(gitDir, Date.now())
    const trust = await readTrust(trustDir)
    using reader = objects.of(push, trust.agents)
    return await judgePush(push.updates, reader, {
      ...gateTrust(trust),
      scan,
      // What the hub had lost is put back by whoever has it: each commit's own signature and place say whether it may enter.
      ...(push.agent && push.option !== RESTORE && { pushedBy: push.agent }),
    })
  } catch (error) {
    return [`countersign: refused gate-failed: ${messageOf(error)}`]
  }
}
