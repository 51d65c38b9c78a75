import { McpServer } from '@modelcontextprotocol/server'
import manifest from '../../package.json' with { type: 'json' }

/** Registers one tool. */
export type PaymentTool = (server: McpServer) => void

/** The MCP server of payments; only the executor of this machine opens one, inside itself. */
export function createPaymentServer(tools: readonly PaymentTool[]): McpServer {
  const server = new McpServer({ name: 'countersign-payment', version: manifest.version })
  for (const register of tools) register(server)
  return server
}
