import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { CountersignError } from '#core/errors.ts'
import { MCP_SERVERS } from '#core/mcp-tools.ts'
import { type Cli, example } from '../cli.ts'
import { environmentOf } from '../zone-home.ts'

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<server>', MCP_SERVERS.join(', '))
    .addHelpText(
      'after',
      '\nSpeaks MCP on stdin and stdout, for an MCP client to start. Which tools there are depends on the zone; tools that act\ndemand a countersignature.',
    )
    .addHelpText('after', example('--zone local mcp email'))
    .action(async (server: string) => {
      if (!(MCP_SERVERS as readonly string[]).includes(server))
        throw new CountersignError('ERR_USAGE', `mcp ${server}: no such server; there are: ${MCP_SERVERS.join(', ')}`)
      const home = await cli.home()
      cli.setExitCode(await serve(server, { ...cli.env, ...environmentOf(home) }))
    })
}

/** The server is a process of its own, so that its stdin and stdout are the client's and nothing else writes there. */
async function serve(server: string, env: Record<string, string | undefined>): Promise<number> {
  const source = join(import.meta.dirname, '..', '..', 'mcp', server, 'main.ts')
  const bundled = join(import.meta.dirname, `mcp-${server}.mjs`)
  const child = spawn(process.execPath, [existsSync(source) ? source : bundled], { stdio: 'inherit', env })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}
