import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createMcpHandler } from '@modelcontextprotocol/server'
import type { McpServerName } from '#core/mcp-tools.ts'
import { toolsByTable } from '#core/mcp-tools.ts'
import type { Zone } from '#core/zone-policy.ts'
import { parseConfig } from '#runtime/config.ts'
import * as emailConfig from '../../mcp/email/config.ts'
import * as emailCloud from '../../mcp/email/main-cloud.ts'
import * as emailLocal from '../../mcp/email/main-local.ts'
import { createEmailServer } from '../../mcp/email/server.ts'
import * as odooConfig from '../../mcp/odoo/config.ts'
import * as odooCloud from '../../mcp/odoo/main-cloud.ts'
import * as odooLocal from '../../mcp/odoo/main-local.ts'
import { createOdooServer } from '../../mcp/odoo/server.ts'
import * as socialConfig from '../../mcp/social/config.ts'
import * as socialCloud from '../../mcp/social/main-cloud.ts'
import * as socialLocal from '../../mcp/social/main-local.ts'
import { createSocialServer } from '../../mcp/social/server.ts'
import { whatsappServerSettings } from '../../mcp/whatsapp/config.ts'
import * as whatsappLocal from '../../mcp/whatsapp/main-local.ts'
import { createWhatsAppServer } from '../../mcp/whatsapp/server.ts'
import { toolFile } from './test-tools.ts'

type Env = Readonly<Record<string, string>>
const valid = <T>(verdict: { ok: true; config: T } | { ok: false; faults: readonly string[] }): T => {
  if (verdict.ok) return verdict.config
  throw new Error(verdict.faults.join('\n'))
}

/** As its main makes it, for any transport. */
async function makerOf(server: McpServerName, zone: Zone, env: Env) {
  if (server === 'email') {
    const tools =
      zone === 'local'
        ? await emailLocal.localTools(valid(parseConfig(emailConfig.localSettings, env)))
        : await emailCloud.readingTools(valid(parseConfig(emailConfig.cloudSettings, env)))
    return () => createEmailServer(tools)
  }
  if (server === 'social') {
    const tools =
      zone === 'local'
        ? await socialLocal.localTools(valid(parseConfig(socialConfig.localSettings, env)))
        : toolsByTable(
            server,
            'cloud',
            await socialCloud.cloudTools(valid(parseConfig(socialConfig.cloudSettings, env))),
          )
    return () => createSocialServer(tools)
  }
  if (server === 'whatsapp') {
    const tools = await whatsappLocal.localTools(valid(parseConfig(whatsappServerSettings, env)))
    return () => createWhatsAppServer(tools)
  }
  const tools =
    zone === 'local'
      ? await odooLocal.localTools(valid(parseConfig(odooConfig.localSettings, env)))
      : toolsByTable(server, 'cloud', await odooCloud.cloudTools(valid(parseConfig(odooConfig.cloudSettings, env))))
  return () => createOdooServer(tools)
}

interface NodeGlue {
  toNodeHandler(handler: unknown): (request: unknown, response: unknown) => Promise<void>
  localhostHostValidation(): (request: unknown, response: unknown) => boolean
  localhostOriginValidation(): (request: unknown, response: unknown) => boolean
}

/**
 * One of our MCP servers on a loopback port: the conformance suite speaks HTTP only. Nothing of ours is served that way.
 * What turns Node's requests into those of the SDK is among the tools of tests/tools.
 */
export async function serveOverHttp(server: McpServerName, zone: Zone, env: Env) {
  const glue = (await import(toolFile('@modelcontextprotocol/node/dist/index.mjs'))) as NodeGlue
  const handle = glue.toNodeHandler(createMcpHandler(await makerOf(server, zone, env)))
  const isHere = [glue.localhostHostValidation(), glue.localhostOriginValidation()]
  const http = createServer((request, response) => {
    if (isHere.every((check) => check(request, response))) void handle(request, response)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
