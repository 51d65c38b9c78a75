import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const TOOLS = join(import.meta.dirname, '../tools')

/** The path of a file of a package of tests/tools. Throws, saying how they are installed. */
export function toolFile(path: string): string {
  const file = join(TOOLS, 'node_modules', path)
  if (existsSync(file)) return file
  throw new Error(
    `${file} is not there: run \`node scripts/test-tools.ts\`, as \`npm test\` does, or \`npm ci\` in ${TOOLS}`,
  )
}

export interface ToolRun {
  /** null: ended by a signal. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command-line program of a package of tests/tools; `file`: its script. */
export function runTool(file: string, args: readonly string[]): Promise<ToolRun> {
  const child = spawn(process.execPath, [toolFile(file), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }))
  })
}
