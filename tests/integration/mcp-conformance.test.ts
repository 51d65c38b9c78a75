import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type McpServerName, serversIn, toolNames } from '#core/mcp-tools.ts'
import { ZONES, type Zone } from '#core/zone-policy.ts'
import { type McpHome, mainOf, makeMcpHome } from '../support/mcp-home.ts'
import { serveOverHttp } from '../support/mcp-over-http.ts'
import { ODOO_DB, ODOO_KEY, type OdooServer, startOdooServer } from '../support/odoo-server.ts'
import { runTool } from '../support/test-tools.ts'

// Our MCP servers judged by programs that no one here wrote: the Inspector's command line on stdin and stdout, as clients
// start them, and the official conformance suite, which speaks HTTP only. COUNTERSIGN_TEST_EVERY_SERVER=1 runs the suite on every server in both zones.

const INSPECTOR = '@modelcontextprotocol/inspector/clients/launcher/build/index.js'
const CONFORMANCE = '@modelcontextprotocol/conformance/dist/index.js'
const EVERY = ZONES.flatMap((zone) => serversIn(zone).map((server) => [server, zone] as const))
const TASK = '01J8Z3W6Q0ABCDEFGHJKMNPQRS'

let odoo: OdooServer
let home: McpHome
beforeAll(async () => {
  odoo = await startOdooServer()
  home = await makeMcpHome({ COUNTERSIGN_ODOO_URL: odoo.url, COUNTERSIGN_ODOO_DB: ODOO_DB }, ODOO_KEY)
})
afterAll(async () => {
  home?.[Symbol.dispose]()
  await odoo?.[Symbol.asyncDispose]()
})

describe('the Inspector', () => {
  const inspect = (server: McpServerName, zone: Zone, args: readonly string[]) => {
    const env = Object.entries(home.env(zone)).flatMap(([name, value]) => ['-e', `${name}=${value}`])
    return runTool(INSPECTOR, ['--cli', ...env, ...args, process.execPath, mainOf(server)])
  }

  test.each(EVERY)('finds no error in the tools of %s in the %s zone, and these', async (server, zone) => {
    const { exitCode, stdout, stderr } = await inspect(server, zone, ['--method', 'tools/list', '--strict'])
    expect(exitCode, stderr).toBe(0)
    const { tools } = JSON.parse(stdout) as { tools: { name: string }[] }
    expect(tools.map((tool) => tool.name)).toEqual(toolNames(server, zone))
    // A receipt is judged by the tool's own rules, so that every call without a good one hears the same rule.
    expect(
      [...stderr.matchAll(/^ {2}Path: (.*)$/gm)].filter(([, path]) => path !== 'inputSchema.properties.receipt'),
    ).toEqual([])
  })

  test.each<[McpServerName, readonly string[], number, object]>([
    ['email', ['draft_email', `task_id=${TASK}`, 'body=Hello'], 5, { outcome: 'lost' }],
    ['social', ['draft_post', `task_id=${TASK}`, 'network=x', 'text=Hello'], 5, { outcome: 'lost' }],
    ['odoo', ['get_data', 'query={"about":"currencies","code":"EUR"}'], 0, { rows: [{ code: 'EUR', decimals: 2 }] }],
  ])('calls %s in both zones, and gets what the tool’s schema says', async (server, call, code, answer) => {
    const [tool = '', ...pairs] = call
    const args = ['--tool-name', tool, '--tool-arg', ...pairs, '--method', 'tools/call']
    const answers = await Promise.all(ZONES.map((zone) => inspect(server, zone, args)))
    for (const { exitCode, stdout, stderr } of answers) {
      expect(exitCode, stderr).toBe(code)
      expect(JSON.parse(stdout)).toMatchObject({ structuredContent: answer })
    }
  })
})

/** Scenarios about tools, prompts and resources that a server has to have for the suite's own sake; ours have none of them. */
const WANTS_ITS_OWN = [
  ...['simple-text', 'image', 'audio', 'embedded-resource', 'mixed-content', 'error', 'with-progress'].map(
    (kind) => `tools-call-${kind}: 1 failed`,
  ),
  ...['list', 'get-simple', 'get-with-args', 'get-embedded-resource', 'get-with-image'].map(
    (kind) => `prompts-${kind}: 1 failed`,
  ),
  ...['list', 'read-text', 'read-binary', 'templates-read'].map((kind) => `resources-${kind}: 1 failed`),
  'completion-complete: 1 failed',
]
const FAILED: Readonly<Record<string, readonly string[]>> = {
  '2025-11-25': [
    ...WANTS_ITS_OWN,
    ...['logging-set-level', 'resources-subscribe', 'resources-unsubscribe', 'tools-call-with-logging'],
    ...['tools-call-sampling', 'tools-call-elicitation', 'elicitation-sep1034-defaults', 'elicitation-sep1330-enums'],
  ].map((name) => (name.includes(':') ? name : `${name}: 1 failed`)),
  '2026-07-28': [
    ...WANTS_ITS_OWN,
    ...['basic-elicitation', 'basic-sampling', 'basic-list-roots', 'request-state', 'multiple-input-requests'].map(
      (kind) => `input-required-result-${kind}: 1 failed`,
    ),
    ...['multi-round', 'non-tool-request', 'result-type', 'tampered-state', 'capability-check'].map(
      (kind) => `input-required-result-${kind}: 1 failed`,
    ),
    // The lists of prompts, resources and templates; and four checks about tools named test_….
    ...['caching: 3 failed', 'server-stateless: 4 failed'],
  ],
}
const PASSED: Readonly<Record<string, readonly string[]>> = {
  '2025-11-25': ['server-initialize', 'ping', 'tools-list', 'dns-rebinding-protection'],
  '2026-07-28': ['tools-list', 'server-stateless', 'sep-2164-resource-not-found', 'dns-rebinding-protection'],
}

describe('the conformance suite', () => {
  const some = [
    ['email', 'local', '2026-07-28'],
    ['odoo', 'cloud', '2026-07-28'],
    ['social', 'local', '2025-11-25'],
  ] as const
  const every = EVERY.flatMap(([server, zone]) =>
    Object.keys(FAILED).map((revision) => [server, zone, revision] as const),
  )
  const cases = process.env.COUNTERSIGN_TEST_EVERY_SERVER === '1' ? every : some

  test.each(cases)(
    'finds in %s (%s zone) all that %s requires of a server with tools only',
    async (server, zone, revision) => {
      await using served = await serveOverHttp(server, zone, home.env(zone))
      const { stdout } = await runTool(CONFORMANCE, ['server', '--url', served.url, '--requirements', revision])
      const results = scored(stdout)
      const failed = results
        .filter(({ failures }) => failures > 0)
        .map(({ name, failures }) => `${name}: ${failures} failed`)
      expect(failed.toSorted()).toEqual([...(FAILED[revision] ?? [])].toSorted())
      for (const name of PASSED[revision] ?? [])
        expect(results.find((one) => one.name === name)?.passes, name).toBeGreaterThan(0)
    },
  )
})

/** The summary's scenarios that count for the revision; those after “Not scored” do not. */
function scored(output: string): { name: string; passes: number; failures: number }[] {
  const summary = output.slice(output.indexOf('=== SUMMARY ==='))
  const notScored = new Set([...summary.matchAll(/^ {2}[✓✗] (\S+) \(/gm)].map(([, name]) => name))
  return [...summary.matchAll(/^[✓✗] (\S+): (\d+) passed, (\d+) failed/gm)]
    .map(([, name = '', passes, failures]) => ({ name, passes: Number(passes), failures: Number(failures) }))
    .filter(({ name }) => !notScored.has(name))
}
