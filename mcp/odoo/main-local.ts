import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { toolsByTable } from '#core/mcp-tools.ts'
import { loadConfig } from '#runtime/config.ts'
import { odooServerSettings } from './config.ts'
import { cloudTools } from './main-cloud.ts'
import { createOdooServer } from './server.ts'

/** Serves all Odoo tools of the local zone on stdin and stdout. None of them acts. */
export async function serve(): Promise<void> {
  const tools = toolsByTable('odoo', 'local', await cloudTools(loadConfig('mcp-odoo', odooServerSettings)))
  serveStdio(() => createOdooServer(tools))
}
