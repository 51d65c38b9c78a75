import { afterAll, beforeAll, expect, test } from 'vitest'
import { MCP_TOOLS, serversIn, toolNames } from '#core/mcp-tools.ts'
import { ZONES } from '#core/zone-policy.ts'
import { BUNDLE_SETS } from '../../scripts/bundle.ts'
import { type McpHome, makeMcpHome } from '../support/mcp-home.ts'

// Which server has which tools in which zone, asked of the programs themselves. A tool that acts is not refused in the
// cloud: it is not there.

let home: McpHome
beforeAll(async () => {
  home = await makeMcpHome()
})
afterAll(() => home[Symbol.dispose]())

test('the table', () => {
  expect(MCP_TOOLS).toEqual({
    email: { everywhere: ['search_emails', 'draft_email'], local: ['send_email'] },
    social: { everywhere: ['draft_post'], local: ['publish_post', 'create_post'] },
    whatsapp: { everywhere: [], local: ['get_messages', 'send_message'] },
    odoo: { everywhere: ['get_data', 'create_draft'], local: ['post_invoice', 'record_payment'] },
  })
  for (const set of ['cloud', 'local'] as const)
    expect(Object.keys(BUNDLE_SETS[set]).filter((name) => name.startsWith('mcp-'))).toEqual(
      serversIn(set).map((server) => `mcp-${server}`),
    )
})

test.each(ZONES.flatMap((zone) => serversIn(zone).map((server) => [server, zone] as const)))(
  'the tools of %s in the %s zone',
  async (server, zone) => {
    const client = await home.connect(server, zone)
    const { tools } = await client.listTools().finally(() => client.close())
    expect(tools.map((tool) => tool.name)).toEqual(toolNames(server, zone))
    // Whatever acts says so, and asks for a countersignature.
    const acting = tools.filter((tool) => tool.annotations?.destructiveHint).map((tool) => tool.name)
    const demanding = tools.filter((tool) => 'receipt' in (tool.inputSchema.properties ?? {})).map((tool) => tool.name)
    const local = MCP_TOOLS[server].local.filter((name) => name !== 'get_messages')
    expect(acting).toEqual(zone === 'local' ? local : [])
    expect(demanding).toEqual(acting)
    // What is asked for is asked for strictly, and what comes back has a schema.
    for (const tool of tools) {
      expect(tool.inputSchema, tool.name).toMatchObject({ type: 'object', additionalProperties: false })
      expect(tool.outputSchema, tool.name).toMatchObject({ type: 'object' })
    }
  },
)
