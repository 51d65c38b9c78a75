import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { initHub } from '#adapters/git/hub.ts'
import { writeGuard } from '#adapters/keys/guard-file.ts'
import { replaceFile } from '#adapters/keys/replace-file.ts'
import { addAgent, addRevoked, readAgents, trustHost } from '#adapters/keys/trust-files.ts'
import { createSshKey, createZoneKeys } from '#adapters/keys/zone-keys.ts'
import { baseName, credentialsOf } from '#core/credentials.ts'
import type { Zone } from '#core/zone-policy.ts'
import { refuseNewerHome, writeHomeRecord } from '#runtime/home-version.ts'
import { VERSION } from '#runtime/version.ts'
import { tightenFiles } from '../loose-files.ts'
import { homeLayout, openZoneHome, type ZoneHome } from '../zone-home.ts'
import { knownSecrets, randomSecret } from '../zone-secrets.ts'
import { type Pairing, pairingFileOf, readPairing, sshHost, writePairing } from './pairing.ts'
import { planFaults, refuseFaults } from './plan-faults.ts'
import { fillSettings, renderSettings } from './settings-file.ts'
import { SKILLS_README, startingFolders, startingNotes } from './starting-notes.ts'

/** What `countersign init` was told. */
export type InitPlan = {
  readonly root: string
  readonly zone: Zone
  readonly settings: Readonly<Record<string, string>>
  /** File name below secrets/ → its content. */
  readonly secrets: Readonly<Record<string, string>>
  /** The other zone's pairing document. */
  readonly pair?: Pairing
  /** Cloud: `host[:port]` under which the local machine reaches the hub's ssh; without it the hub is a path. */
  readonly hubHost?: string
}

export type InitReport = {
  readonly home: ZoneHome
  /** What was made, changed or kept, a sentence each. */
  readonly steps: readonly string[]
  /** To be carried to the other zone. */
  readonly pairingFile: string
  readonly knows: readonly string[]
  /** Where the local zone will look for the hub; only in the cloud's report. */
  readonly hubUrl?: string
}

/** The hub's sshd in its container (compose.cloud.yml), which reads trust/agents.json at each connection. */
const HUB_IN_CONTAINER = { host: 'hub', port: 2222, repository: '/srv/hub/vault.git' }

/**
 * Makes a zone home, or completes one: what is there is kept, what is missing is made. Ran twice, the second run
 * changes nothing. Throws ERR_CONFIG_INVALID with every fault of the plan before anything is written.
 */
export async function initZone(plan: InitPlan): Promise<InitReport> {
  const layout = homeLayout(plan.root, plan.zone)
  refuseFaults(plan.zone, await planFaults(plan))
  const steps: string[] = []
  refuseNewerHome(layout.state)
  const isNew = !existsSync(layout.envFile)
  await makeFolders(layout)
  if (isNew) writeHomeRecord(layout.state, VERSION, Date.now())
  steps.push(...(await writeSettings(layout, plan)))
  const home = await openZoneHome(plan.root)
  steps.push(...(await tightenFiles(home)))
  const hadKeys = existsSync(join(home.keys, 'ledger.pem'))
  const identity = await createZoneKeys(home.root, home.zone, home.agent)
  steps.push(`${hadKeys ? 'kept' : 'made'} the keys in ${home.keys}`)
  steps.push(...(await writeSecrets(home, plan)))
  steps.push(...(await writeVault(home, plan.settings.COUNTERSIGN_OWNER_NAME ?? '')))
  steps.push(...(await explainSkills(home)))
  if (plan.pair) steps.push(await trustOther(home, plan.pair))
  const hub = home.zone === 'cloud' ? await makeHub(home, plan) : undefined
  if (hub) steps.push(`made or checked the hub in ${home.hub}`)
  steps.push(...(await guardSecrets(home)))
  const pairingFile = await writePairing(home, identity, hub)
  const knows = (await readAgents(home.trust)).map((agent) => agent.name)
  return { home, steps, pairingFile, knows, ...(hub && { hubUrl: hub.url }) }
}

async function makeFolders(layout: ZoneHome): Promise<void> {
  for (const folder of [layout.root, layout.keys, layout.secrets, layout.trust, layout.state, layout.vault])
    await mkdir(folder, { recursive: true, mode: 0o700 })
  // Bind mounts of the compose files: the engine would make them as root.
  for (const name of ['redis', 'backup', 'backups'])
    await mkdir(join(layout.root, name), { recursive: true, mode: 0o700 })
  if (layout.zone === 'cloud')
    for (const name of ['caddy', 'odoo', 'odoo-db'])
      await mkdir(join(layout.root, name), { recursive: true, mode: 0o700 })
  if (layout.zone === 'local')
    for (const folder of [layout.social, layout.banks, join(layout.state, 'browser'), join(layout.state, 'whatsapp')])
      await mkdir(folder, { recursive: true, mode: 0o700 })
  await mkdir(layout.skills, { recursive: true, mode: 0o700 })
  for (const folder of [layout.keys, layout.secrets]) await chmod(folder, 0o700)
}

async function writeSettings(layout: ZoneHome, plan: InitPlan): Promise<string[]> {
  const hub = plan.zone === 'local' && plan.pair?.hub ? { COUNTERSIGN_HUB_URL: plan.pair.hub.url } : {}
  const values = { ...hub, ...plan.settings }
  if (!existsSync(layout.envFile)) {
    // Whole or not at all: what stands there is the person's, and is kept.
    await replaceFile(layout.envFile, renderSettings(plan.zone, values), 0o600)
    return [`wrote the settings to ${layout.envFile}`]
  }
  const before = await readFile(layout.envFile, 'utf8')
  const { text, kept } = fillSettings(before, values)
  if (text !== before) await replaceFile(layout.envFile, text, 0o600)
  return [
    `${text === before ? 'kept' : 'completed'} the settings in ${layout.envFile}`,
    ...kept.map((name) => `kept ${name} as it stands there; edit the file to change it`),
  ]
}

async function writeSecrets(home: ZoneHome, plan: InitPlan): Promise<string[]> {
  const steps: string[] = []
  for (const [name, value] of Object.entries({ ...startingSecrets(home.zone), ...plan.secrets })) {
    const file = join(home.secrets, name)
    if (name === 'backup-password' && !existsSync(file))
      steps.push(`made ${file}: keep a copy elsewhere too, without it no backup can be read`)
    const isThere = existsSync(file) && ((await stat(file)).size > 0 || value === '')
    if (!isThere) await writeFile(file, value, { mode: 0o600 })
    await chmod(file, 0o600)
    if (name in plan.secrets) steps.push(isThere ? `kept ${file}; replace that file to change it` : `wrote ${file}`)
  }
  return steps
}

/** File name below secrets/ → what it begins with: something random, or nothing. */
function startingSecrets(zone: Zone): Record<string, string> {
  const made = credentialsOf(zone).flatMap(({ file, origin, mayBeEmpty }) => {
    if (origin === 'random' || origin === 'watch') return [[baseName(file), randomSecret(origin)] as const]
    return mayBeEmpty ? [[baseName(file), ''] as const] : []
  })
  return Object.fromEntries(made)
}

/** Last of all, when every key and secret is there. */
async function guardSecrets(home: ZoneHome): Promise<string[]> {
  const outcome = await writeGuard(home.keys, await knownSecrets(home))
  if (outcome === 'kept') return []
  const again = outcome === 'changed' ? ' anew: restart sync, so that it knows the secrets of now' : ''
  return [`made the guard that keeps them out of the vault${again}`]
}

async function writeVault(home: ZoneHome, ownerName: string): Promise<string[]> {
  for (const folder of startingFolders(home.zone)) await mkdir(join(home.vault, folder), { recursive: true })
  const steps: string[] = []
  for (const [name, text] of Object.entries(startingNotes(home.zone, ownerName))) {
    const file = join(home.vault, name)
    if (existsSync(file)) continue
    await writeFile(file, text, { flag: 'wx' })
    steps.push(`wrote ${file}`)
  }
  return steps
}

async function explainSkills(home: ZoneHome): Promise<string[]> {
  const file = join(home.skills, 'README.md')
  if (existsSync(file)) return []
  await writeFile(file, SKILLS_README, { flag: 'wx' })
  return [`wrote ${file}`]
}

async function trustOther(home: ZoneHome, pairing: Pairing): Promise<string> {
  // Whom local believes no longer, the hub lets in no longer. Never the other way round.
  if (home.zone === 'cloud' && pairing.agent.zone === 'local') await addRevoked(home.trust, pairing.revoked ?? [])
  const outcome = await addAgent(home.trust, pairing.agent, home.zone === 'cloud' ? pairing.retired : [])
  const address = pairing.hub && sshHost(pairing.hub.url)
  if (home.zone === 'local' && pairing.hub && address)
    await trustHost(home.trust, { ...address, hostKey: pairing.hub.host_key })
  return outcome === 'added'
    ? `trusts the ${pairing.agent.zone} zone's agent now`
    : `knew the ${pairing.agent.zone} zone's agent`
}

async function makeHub(home: ZoneHome, plan: InitPlan): Promise<NonNullable<Pairing['hub']>> {
  await mkdir(home.hub, { recursive: true, mode: 0o700 })
  const hostKey = await createSshKey(join(home.hub, 'ssh_host_ed25519_key'), 'hub')
  const repository = join(home.hub, 'vault.git')
  // For the one-machine mode; the container writes its own paths into the hook each time it starts.
  const hookCommand = [process.execPath, join(import.meta.dirname, '..', '..', 'services', 'hub', 'main.ts')]
  await initHub({ dir: repository, trustDir: home.trust, hookCommand })
  const { host, port } = HUB_IN_CONTAINER
  await trustHost(home.trust, { host, port, hostKey })
  const before = await readPairing(pairingFileOf(home)).catch(() => undefined) // the first run
  const asked = plan.hubHost && `ssh://git@${plan.hubHost.includes(':') ? plan.hubHost : `${plan.hubHost}:${port}`}`
  const url = asked ? `${asked}${HUB_IN_CONTAINER.repository}` : (before?.hub?.url ?? repository)
  return { url, host_key: hostKey }
}
