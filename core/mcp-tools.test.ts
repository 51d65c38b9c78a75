import { expect, test } from 'vitest'
import { channelOf } from './action.ts'
import { MCP_SERVERS, MCP_TOOLS, toolNames, toolsByTable } from './mcp-tools.ts'

test('a server has exactly the tools of the table, in its order', () => {
  expect(toolsByTable('social', 'local', { create_post: 1, publish_post: 2, draft_post: 3 })).toEqual([3, 2, 1])
  expect(toolsByTable('social', 'cloud', { draft_post: 3 })).toEqual([3])
})

test('a tool too many or too few ends the program before it serves', () => {
  const tooMany: { draft_post: number } = { draft_post: 1, ...{ publish_post: 2 } }
  expect(() => toolsByTable('social', 'cloud', tooMany)).toThrow('publish_post is no tool of social in the cloud zone')
  expect(() => toolsByTable('odoo', 'cloud', { get_data: 1 } as never)).toThrow('odoo lacks its tool create_draft')
})

test('what acts stands in the local column alone, and is a tool of the table of actions', () => {
  for (const server of MCP_SERVERS) {
    const { everywhere, local } = MCP_TOOLS[server]
    expect(toolNames(server, 'cloud')).toEqual(everywhere)
    // Looking at WhatsApp is the local zone's alone, too.
    const acting = local.filter((tool) => tool !== 'get_messages')
    for (const tool of acting) expect(channelOf(`${server}.${tool}`), tool).toBeDefined()
    for (const tool of everywhere) expect(channelOf(`${server}.${tool}`), tool).toBeUndefined()
  }
})
