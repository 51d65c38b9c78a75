import { answerProof } from '#adapters/proof/cloud-proof.ts'
import { ownFolder } from '#adapters/zone-copy/own-folder.ts'
import { loadServiceConfig, settingNames } from '#runtime/config.ts'
import { runService } from '#runtime/service.ts'
import { backupSettings } from './config.ts'
import { backupDeps } from './main-deps.ts'
import { runBackups } from './run-backups.ts'

/** restic tells of its progress every few seconds; what takes longer is a copy of a large zone or a slow server. */
const QUIET_MS = 30 * 60_000

const config = loadServiceConfig('backup', backupSettings)

await runService('backup', config, async (service) => {
  answerProof(service, { ...config, service: 'backup', settings: settingNames() })
  const beat = service.progress('backups', config.pollMs + QUIET_MS)
  const { home, zone, agent } = config
  service.resources.use(await ownFolder(home).asService())
  const deps = backupDeps({ home, zone, agent, config, signal: service.stopping, onProgress: beat })
  const { log, metrics, stopping } = service
  const running = runBackups({ deps, log, metrics, stopping, beat, pollMs: config.pollMs })
  running.catch((error: unknown) => service.fail(error))
  service.resources.defer(() => running)
})
