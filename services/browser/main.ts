import { serveBrowser } from '#adapters/browser/serve-browser.ts'
import { CountersignError } from '#core/errors.ts'
import { loadServiceConfig } from '#runtime/config.ts'
import { runService } from '#runtime/service.ts'
import { browserSettings } from './config.ts'

const config = loadServiceConfig('browser', browserSettings)

await runService('browser', config, async ({ log, resources }) => {
  if (config.zone !== 'local')
    throw new CountersignError('ERR_ZONE_FORBIDDEN', `the browser was started in the zone ${config.zone}`)
  const { browserProgram: executable, browserFolder, browserSandbox, browserPort: port, egress: proxy } = config
  resources.use(
    await serveBrowser(
      {
        ...{ kind: 'child', executable, folder: browserFolder, proxy },
        ...{ isShown: false, hasSandbox: browserSandbox === 'on' },
      },
      { host: config.httpHost, port, log },
    ),
  )
})
