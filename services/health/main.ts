import { mkdir, rm } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { answerProof } from '#adapters/proof/cloud-proof.ts'
import { checkedMemory, watchMemory } from '#adapters/state-files/watch-memory.ts'
import { addressesOf } from '#adapters/tls/addresses.ts'
import { watchCertificates } from '#adapters/tls/watch-certificates.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import type { StatusDocument } from '#core/status.ts'
import { readBoots } from '#runtime/boots.ts'
import { loadServiceConfig, settingNames } from '#runtime/config.ts'
import { runService } from '#runtime/service.ts'
import { canaries } from './canary.ts'
import { healthSettings } from './config.ts'
import { proofOfTheDay } from './main-proof.ts'
import { deadmanSwitch } from './ping-deadman.ts'
import { watchComponents } from './watch-components.ts'
import { dependencyWatch } from './watch-dependencies.ts'
import { statusFile, writeStatus } from './write-status.ts'

const config = loadServiceConfig('health', healthSettings)

await runService('health', config, async (service) => {
  await mkdir(config.state, { recursive: true })
  answerProof(service, { ...config, service: 'health', settings: settingNames() })
  const prove = config.prove === 'daily' ? await proofOfTheDay(config, service) : undefined
  const beat = service.progress('status', config.pollMs + 15_000)
  const vault = await openVault(config.vault, { isReader: true })
  const components = await watchComponents({
    ...{ agent: config.agent, log: service.log, metrics: service.metrics, memory: watchMemory(config.state) },
    vault,
    boots: (name) => readBoots(config.state, name),
  })
  const tellOutside =
    config.deadmanUrl &&
    deadmanSwitch(config.deadmanUrl.read(), (reason) =>
      service.log.warn({ reason }, 'the dead-man’s switch was not reached'),
    )
  // Only the cloud sends them: it is there always, and each crosses both zones.
  const flyCanary =
    config.zone === 'cloud'
      ? await canaries({ agent: config.agent, vault, metrics: service.metrics }, Date.now())
      : undefined
  const memory = checkedMemory(config.state)
  const dependencies = dependencyWatch({ memory, metrics: service.metrics, before: await memory.load() })
  const look = () =>
    writeStatus(config, { checked: dependencies.known(), own: service.report(), addressesOf }, Date.now())
  const sites = Object.fromEntries(config.sites.map((host) => [host, { host, port: 443, via: config.egress }]))
  service.resources.use(watchCertificates(sites, (of, ends) => service.tell.ends('certificate', of, ends)))
  let latest: StatusDocument = await look()
  service.document('/status', () => latest)

  const polling = (async () => {
    while (!service.stopping.aborted) {
      await setTimeout(config.pollMs, undefined, { signal: service.stopping }).catch(() => {}) // draining ends the wait
      try {
        const before = latest.health
        latest = await look()
        if (latest.health !== before)
          service.log.info({ state: latest.health, reason: latest.problems[0] }, 'health changed')
        beat()
        for (const { of, free, size } of latest.disks ?? [])
          service.metrics.set('countersign_disk_used_ratio', 1 - free / size, { of })
        await dependencies.look(latest.checked ?? [])
        await components.look(latest.services, Date.now())
        await flyCanary?.(Date.now())
        void prove?.(Date.now())
        if (tellOutside) void tellOutside(latest, Date.now())
      } catch (error) {
        service.log.error({ err: error }, 'the status could not be written')
      }
    }
  })()
  // What is not being looked at must not be called well.
  service.resources.defer(() => rm(statusFile(config), { force: true }))
  service.resources.defer(() => polling)
})
