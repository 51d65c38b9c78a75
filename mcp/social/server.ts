import { McpServer } from '@modelcontextprotocol/server'
import manifest from '../../package.json' with { type: 'json' }

/** Registers one tool. As for mail: what acts is passed in on the local machine alone. */
export type SocialTool = (server: McpServer) => void

/** The MCP server of social networks; the transport (stdio, in process) is the caller's choice. */
export function createSocialServer(tools: readonly SocialTool[]): McpServer {
  const server = new McpServer({ name: 'countersign-social', version: manifest.version })
  for (const register of tools) register(server)
  return server
}
