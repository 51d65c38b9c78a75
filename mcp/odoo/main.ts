import { loadConfig } from '#runtime/config.ts'
import { processSettings } from '#runtime/settings.ts'

// As for mail: what only the local zone has is loaded only there.
const { zone } = loadConfig('mcp-odoo', { zone: processSettings.zone })
const { serve } = zone === 'local' ? await import('./main-local.ts') : await import('./main-cloud.ts')
await serve()
