import { Client, InMemoryTransport } from '@modelcontextprotocol/client'
import manifest from '../../package.json' with { type: 'json' }

/** What can be connected to a transport: an MCP server of this process. */
export interface ConnectableServer {
  connect(transport: InMemoryTransport): Promise<void>
  close(): Promise<void>
}

export interface ToolCaller extends AsyncDisposable {
  /**
   * Calls a tool and gives back its structured content, for errors it reported as well; undefined when it gave none.
   * Rejects only when the call itself failed or took longer than `timeoutMs`: then nothing is known about its effect.
   */
  call(tool: string, args: Record<string, unknown>, timeoutMs: number): Promise<unknown>
}

/** A client of an MCP server in this very process, as any outside client would speak to it. */
export async function connectInProcess(server: ConnectableServer): Promise<ToolCaller> {
  const [serverEnd, clientEnd] = InMemoryTransport.createLinkedPair()
  await server.connect(serverEnd)
  const client = new Client({ name: 'countersign', version: manifest.version })
  await client.connect(clientEnd)
  return {
    async call(tool, args, timeoutMs) {
      const result = await client.callTool({ name: tool, arguments: args }, { timeout: timeoutMs })
      return result.structuredContent
    },
    async [Symbol.asyncDispose]() {
      await client.close()
      await server.close()
    },
  }
}
