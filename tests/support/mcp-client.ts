import { Client, InMemoryTransport } from '@modelcontextprotocol/client'
import type { McpServer } from '@modelcontextprotocol/server'
import { onTestFinished } from 'vitest'

/** A client of a server in this process; both are closed when the test has ended. */
export async function clientOf(server: McpServer): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' })
  const [serverEnd, clientEnd] = InMemoryTransport.createLinkedPair()
  await server.connect(serverEnd)
  await client.connect(clientEnd)
  onTestFinished(async () => {
    await client.close()
    await server.close()
  })
  return client
}
