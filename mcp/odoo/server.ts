import { McpServer } from '@modelcontextprotocol/server'
import manifest from '../../package.json' with { type: 'json' }

/** Registers one tool. As for mail: what acts is passed in on the local machine alone. */
export type OdooTool = (server: McpServer) => void

/** The MCP server of the books; the transport (stdio, in process) is the caller's choice. */
export function createOdooServer(tools: readonly OdooTool[]): McpServer {
  const server = new McpServer({ name: 'countersign-odoo', version: manifest.version })
  for (const register of tools) register(server)
  return server
}
