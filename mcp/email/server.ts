import { McpServer } from '@modelcontextprotocol/server'
import manifest from '../../package.json' with { type: 'json' }

/** Registers one tool. A server has exactly the tools it is given: what acts is passed in on the local machine alone. */
export type EmailTool = (server: McpServer) => void

/** The e-mail MCP server; the transport (stdio, in process) is the caller's choice. */
export function createEmailServer(tools: readonly EmailTool[]): McpServer {
  const server = new McpServer({ name: 'countersign-email', version: manifest.version })
  for (const register of tools) register(server)
  return server
}
