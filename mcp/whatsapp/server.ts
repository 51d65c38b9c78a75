import { McpServer } from '@modelcontextprotocol/server'
import manifest from '../../package.json' with { type: 'json' }

/** Registers one tool. All of them are the local machine's. */
export type WhatsAppTool = (server: McpServer) => void

/** The MCP server of WhatsApp; the transport (stdio, in process, HTTP) is the caller's choice. */
export function createWhatsAppServer(tools: readonly WhatsAppTool[]): McpServer {
  const server = new McpServer({ name: 'countersign-whatsapp', version: manifest.version })
  for (const register of tools) register(server)
  return server
}
