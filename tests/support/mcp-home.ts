import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { createZoneKeys } from '#adapters/keys/zone-keys.ts'
import type { McpServerName } from '#core/mcp-tools.ts'
import type { Zone } from '#core/zone-policy.ts'

/** A zone's home with every setting that an MCP server asks for; no server outside answers but those of `settings`. */
export async function makeMcpHome(settings: Readonly<Record<string, string>> = {}, password = 'secret') {
  const home = mkdtempSync(join(tmpdir(), 'countersign-tools-'))
  for (const folder of ['vault', 'state']) mkdirSync(join(home, folder))
  await createZoneKeys(home, 'local')
  const secret = join(home, 'secret')
  writeFileSync(secret, password, { mode: 0o600 })

  const env = (zone: Zone): Record<string, string> => ({
    COUNTERSIGN_ZONE: zone,
    COUNTERSIGN_VAULT: join(home, 'vault'),
    COUNTERSIGN_STATE: join(home, 'state'),
    COUNTERSIGN_TRUST: join(home, 'trust'),
    COUNTERSIGN_IMAP_HOST: '127.0.0.1',
    COUNTERSIGN_IMAP_USER: 'owner@countersign.test',
    COUNTERSIGN_IMAP_PASSWORD_FILE: secret,
    COUNTERSIGN_OWNER_ADDRESS: 'owner@countersign.test',
    COUNTERSIGN_SOCIAL_ACCOUNTS: 'x:@owner',
    COUNTERSIGN_WHATSAPP_URL: 'http://127.0.0.1:1',
    COUNTERSIGN_WHATSAPP_STATE: join(home, 'state/whatsapp'),
    COUNTERSIGN_ODOO_URL: 'http://127.0.0.1:1',
    COUNTERSIGN_ODOO_DB: 'books',
    COUNTERSIGN_ODOO_KEY_FILE: secret,
    ...(zone === 'local' && { COUNTERSIGN_SMTP_HOST: '127.0.0.1' }),
    ...settings,
  })
  return {
    env,
    async connect(server: McpServerName, zone: Zone): Promise<Client> {
      const client = new Client({ name: 'test', version: '1' })
      const args = [mainOf(server)]
      await client.connect(new StdioClientTransport({ command: process.execPath, args, env: env(zone) }))
      return client
    },
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  }
}
export type McpHome = Awaited<ReturnType<typeof makeMcpHome>>

export function mainOf(server: McpServerName): string {
  return join(import.meta.dirname, '../../mcp', server, 'main.ts')
}
