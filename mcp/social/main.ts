import { loadConfig } from '#runtime/config.ts'
import { processSettings } from '#runtime/settings.ts'

// The local tools are loaded only there: the cloud's bundle holds no code that posts.
const { zone } = loadConfig('mcp-social', { zone: processSettings.zone })
const { serve } = zone === 'local' ? await import('./main-local.ts') : await import('./main-cloud.ts')
await serve()
