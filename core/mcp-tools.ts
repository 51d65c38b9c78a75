import type { Zone } from './zone-policy.ts'

/**
 * Which MCP server has which tools: `everywhere` look and draft, `local` are in the local zone alone: they act, or show what is that zone's alone. What the table
 * does not name for a zone is not refused there: it is not there.
 */
export const MCP_TOOLS = {
  email: { everywhere: ['search_emails', 'draft_email'], local: ['send_email'] },
  social: { everywhere: ['draft_post'], local: ['publish_post', 'create_post'] },
  odoo: { everywhere: ['get_data', 'create_draft'], local: ['post_invoice', 'record_payment'] },
  whatsapp: { everywhere: [], local: ['get_messages', 'send_message'] },
} as const satisfies Record<string, { everywhere: readonly string[]; local: readonly string[] }>

export type McpServerName = keyof typeof MCP_TOOLS
type DraftingTool<S extends McpServerName> = (typeof MCP_TOOLS)[S]['everywhere'][number]
type ActingTool<S extends McpServerName> = (typeof MCP_TOOLS)[S]['local'][number]
export type ToolName<S extends McpServerName, Z extends Zone> =
  | DraftingTool<S>
  | (Z extends 'local' ? ActingTool<S> : never)

export const MCP_SERVERS = Object.keys(MCP_TOOLS) as McpServerName[]

/** The servers that have a tool in a zone. */
export function serversIn(zone: Zone): McpServerName[] {
  return MCP_SERVERS.filter((server) => toolNames(server, zone).length > 0)
}

/** The names of a server's tools in a zone. */
export function toolNames(server: McpServerName, zone: Zone): readonly string[] {
  const { everywhere, local } = MCP_TOOLS[server]
  return zone === 'local' ? [...everywhere, ...local] : everywhere
}

/** A server's tools in the table's order: exactly those that the table names, or a RangeError. */
export function toolsByTable<
  S extends McpServerName,
  Z extends Zone,
  G extends Readonly<Record<ToolName<S, Z>, unknown>>,
>(server: S, zone: Z, tools: G): G[keyof G][] {
  const names = toolNames(server, zone)
  const odd = Object.keys(tools).find((name) => !names.includes(name))
  if (odd !== undefined) throw new RangeError(`${odd} is no tool of ${server} in the ${zone} zone`)
  return names.map((name) => {
    if (!Object.hasOwn(tools, name)) throw new RangeError(`${server} lacks its tool ${name}`)
    return tools[name as keyof G]
  })
}
