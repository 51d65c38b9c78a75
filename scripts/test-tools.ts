import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

// Installs what tests/tools/package.json pins, unless exactly that is there. Apart from the project's own packages: 150 MB
// that the tests of the MCP servers alone need.

const TOOLS = join(import.meta.dirname, '../tests/tools')
const STAMP = join(TOOLS, 'node_modules/.countersign-lock')

const lock = createHash('sha256')
  .update(readFileSync(join(TOOLS, 'package-lock.json')))
  .digest('hex')

process.exitCode = isInstalled() ? 0 : install()

function isInstalled(): boolean {
  try {
    return readFileSync(STAMP, 'utf8') === lock
  } catch {
    return false
  }
}

function install(): number {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund']
  const { status, error } = spawnSync('npm', args, {
    cwd: TOOLS,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (status === 0) {
    writeFileSync(STAMP, lock)
    return 0
  }
  console.error(`npm ${args.join(' ')} failed in ${TOOLS}${error ? `: ${error.message}` : ''}.
The tests of the MCP servers need these packages, and the network to fetch them once.`)
  return 1
}
