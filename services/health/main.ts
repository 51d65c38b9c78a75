import { mkdir, rm } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import type { StatusDocument } from '#core/status.ts'
import { loadConfig } from '#runtime/config.ts'
import { runService } from '#runtime/service.ts'
import { healthSettings } from './config.ts'
import { statusFile, writeStatus } from './write-status.ts'

const config = loadConfig('health', healthSettings)

await runService('health', config, async (service) => {
  await mkdir(config.state, { recursive: true })
  const beat = service.progress('status', config.pollMs + 15_000)
  let latest: StatusDocument = await writeStatus(config, Date.now())
  service.document('/status', () => latest)

  const polling = (async () => {
    while (!service.stopping.aborted) {
      await setTimeout(config.pollMs, undefined, { signal: service.stopping }).catch(() => {}) // draining ends the wait
      try {
        const before = latest.health
        latest = await writeStatus(config, Date.now())
        if (latest.health !== before)
          service.log.info({ state: latest.health, reason: latest.problems[0] }, 'health changed')
        beat()
      } catch (error) {
        service.log.error({ err: error }, 'the status could not be written')
      }
    }
  })()
  // What is not being looked at must not be called well.
  service.resources.defer(() => rm(statusFile(config), { force: true }))
  service.resources.defer(() => polling)
})
