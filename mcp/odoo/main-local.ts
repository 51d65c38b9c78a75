import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { toolsByTable } from '#core/mcp-tools.ts'
import { loadConfig } from '#runtime/config.ts'
import { type OdooServerConfig, odooServerSettings } from './config.ts'
import { cloudTools } from './main-cloud.ts'
import { createOdooServer, type OdooTool } from './server.ts'

/** Serves all Odoo tools of the local zone on stdin and stdout. None of them acts. */
export async function serve(): Promise<void> {
  const tools = await localTools(loadConfig('mcp-odoo', odooServerSettings))
  serveStdio(() => createOdooServer(tools))
}

export async function localTools(config: OdooServerConfig): Promise<OdooTool[]> {
  return toolsByTable('odoo', 'local', await cloudTools(config))
}
