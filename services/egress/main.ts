import { startEgress } from '#adapters/browser/egress-proxy.ts'
import { readBankScripts } from '#adapters/browser/open-banks.ts'
import { reachOf } from '#core/bank-script.ts'
import { CountersignError } from '#core/errors.ts'
import { loadServiceConfig } from '#runtime/config.ts'
import { runService } from '#runtime/service.ts'
import { egressSettings } from './config.ts'

const config = loadServiceConfig('egress', egressSettings)

// The only process that is on the browser's network and on one with a way out.
await runService('egress', config, async ({ log, resources }) => {
  if (config.zone !== 'local')
    throw new CountersignError('ERR_ZONE_FORBIDDEN', `the way to the bank was started in the zone ${config.zone}`)
  const reach = reachOf(await readBankScripts(config.banks))
  resources.use(
    await startEgress({
      ...{ reach, host: config.httpHost, port: config.egressPort },
      onRefused: (asked) => log.info({ name: asked }, 'the browser asked for something it may not reach'),
    }),
  )
  log.info(
    { count: reach.length },
    `lets through to ${reach.map(({ host, port }) => `${host}:${port}`).join(', ') || 'nothing'}`,
  )
})
