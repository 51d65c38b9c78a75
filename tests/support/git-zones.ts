import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { initHub } from '#adapters/git/hub.ts'
import { openRepo, type RepoOptions } from '#adapters/git/repo.ts'
import { secretsInFolder, writeGuard } from '#adapters/keys/guard-file.ts'
import { addAgent } from '#adapters/keys/trust-files.ts'
import { createZoneKeys } from '#adapters/keys/zone-keys.ts'
import type { Oid, RepoPort } from '#core/ports/repo.ts'
import type { AgentIdentity } from '#core/trust.ts'
import type { Zone } from '#core/zone-policy.ts'

/** The hook as the hub runs it without a bundle: the pinned node on the source. */
export const HOOK_COMMAND = [process.execPath, resolve('services/hub/main.ts')]

const BOTH: readonly (readonly [agent: string, zone: Zone])[] = [
  ['cloud', 'cloud'],
  ['local', 'local'],
]

/** Keys of agents that trust each other, in a folder of their own. */
export interface Zones extends Disposable {
  readonly root: string
  readonly agents: readonly AgentIdentity[]
  readonly home: (agent: string) => string
  readonly trustDir: string
}

export async function makeZones(parent = tmpdir(), names = BOTH): Promise<Zones> {
  const root = mkdtempSync(join(parent, 'countersign-zones-'))
  const home = (agent: string) => join(root, agent)
  const agents: AgentIdentity[] = []
  for (const [agent, zone] of names) agents.push(await createZoneKeys(home(agent), zone, agent))
  for (const [agent] of names) {
    for (const one of agents) await addAgent(join(home(agent), 'trust'), one)
    const keys = join(home(agent), 'keys')
    await writeGuard(keys, await secretsInFolder(keys))
  }
  return {
    root,
    agents,
    home,
    trustDir: join(home(names[0]?.[0] ?? ''), 'trust'),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** A hub with its gate, empty or a copy of another one's repository. */
export async function makeHub(zones: Zones, from?: string, at?: string): Promise<string> {
  const dir = at ?? join(mkdtempSync(join(zones.root, 'hub-')), 'vault.git')
  if (from !== undefined) cpSync(from, dir, { recursive: true })
  await initHub({ dir, trustDir: zones.trustDir, hookCommand: HOOK_COMMAND })
  return dir
}

/** A fresh clone of an agent; several of one agent may live side by side. */
export function openClone(
  zones: Zones,
  agent: string,
  hubUrl: string,
  options: Partial<RepoOptions> = {},
): Promise<RepoPort> {
  return openRepo({
    gitDir: join(mkdtempSync(join(zones.root, `${agent}-clone-`)), 'repo.git'),
    hubUrl,
    agent,
    signingKeyFile: join(zones.home(agent), 'keys', 'signing'),
    agents: zones.agents,
    ...options,
  })
}

/** One commit of whole files on a parent; null removes. */
export async function commitFiles(
  repo: RepoPort,
  parent: Oid | null,
  files: Readonly<Record<string, string | Uint8Array | null>>,
  trailers: Readonly<Record<string, string>> = {},
): Promise<Oid> {
  const changes = await Promise.all(
    Object.entries(files).map(async ([path, content]) => ({
      path,
      oid: content === null ? null : await repo.writeBlob(Buffer.from(content)),
    })),
  )
  return repo.commitTree({ parent, changes, message: 'test', trailers })
}

/** A valid task file of the e-mail domain. */
export function taskText(generation: number, title = 'Invoice for March', id = '01K9ZZZZZZZZZZZZZZZZ7H3K9Q'): string {
  return `---
id: ${id}
schema: "1"
kind: EMAIL
domain: email
title: ${title}
created: "2026-11-20T10:00:00Z"
generation: "${generation}"
---
# ${title}
`
}
