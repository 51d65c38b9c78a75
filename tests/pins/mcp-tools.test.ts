import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createZoneKeys } from '#adapters/keys/zone-keys.ts'
import type { Zone } from '#core/zone-policy.ts'

// The table of docs and blueprint: which server has which tools in which zone, asked of the programs themselves. A tool
// that acts is not refused in the cloud: it is not there.

const ROOT = join(import.meta.dirname, '../..')
let home: string
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'countersign-tools-'))
  for (const folder of ['vault', 'state']) mkdirSync(join(home, folder))
  await createZoneKeys(home, 'local')
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

async function toolsOf(server: string, zone: Zone) {
  const env = {
    COUNTERSIGN_ZONE: zone,
    COUNTERSIGN_VAULT: join(home, 'vault'),
    COUNTERSIGN_STATE: join(home, 'state'),
    COUNTERSIGN_TRUST: join(home, 'trust'),
    COUNTERSIGN_IMAP_HOST: '127.0.0.1',
    COUNTERSIGN_IMAP_USER: 'owner@countersign.test',
    COUNTERSIGN_IMAP_PASSWORD_FILE: join(home, 'keys/ledger.pem'),
    COUNTERSIGN_OWNER_ADDRESS: 'owner@countersign.test',
    COUNTERSIGN_SOCIAL_ACCOUNTS: 'x:@owner',
    ...(zone === 'local' && { COUNTERSIGN_SMTP_HOST: '127.0.0.1' }),
  }
  const args = [join(ROOT, 'mcp', server, 'main.ts')]
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env }))
  try {
    return (await client.listTools()).tools
  } finally {
    await client.close()
  }
}

test.each<[string, Zone, string[]]>([
  ['email', 'cloud', ['draft_email', 'search_emails']],
  ['email', 'local', ['draft_email', 'search_emails', 'send_email']],
  ['social', 'cloud', ['draft_post']],
  ['social', 'local', ['create_post', 'draft_post', 'publish_post']],
])('the tools of %s in the %s zone', async (server, zone, names) => {
  const tools = await toolsOf(server, zone)
  expect(tools.map((tool) => tool.name).toSorted()).toEqual(names)
  // Whatever acts says so, and asks for a countersignature.
  const acting = tools.filter((tool) => tool.annotations?.destructiveHint).map((tool) => tool.name)
  const demanding = tools.filter((tool) => 'receipt' in (tool.inputSchema.properties ?? {})).map((tool) => tool.name)
  expect(acting.toSorted()).toEqual(names.filter((name) => /^(send|create|publish)_/.test(name)))
  expect(demanding.toSorted()).toEqual(acting.toSorted())
})
