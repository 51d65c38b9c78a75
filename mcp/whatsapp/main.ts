import { CountersignError } from '#core/errors.ts'
import { loadConfig } from '#runtime/config.ts'
import { processSettings } from '#runtime/settings.ts'

// WhatsApp is the local zone's alone: in the cloud there is no such server, nor its code.
const { zone } = loadConfig('mcp-whatsapp', { zone: processSettings.zone })
if (zone !== 'local') throw new CountersignError('ERR_ZONE_FORBIDDEN', `WhatsApp was asked for in the zone ${zone}`)
const { serve } = await import('./main-local.ts')
await serve()
