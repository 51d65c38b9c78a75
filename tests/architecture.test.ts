import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { breachesOf, EXCEPTIONS } from './support/architecture-rules.ts'

const root = dirname(import.meta.dirname)
const skipped = ['node_modules', 'dist', 'zones', 'coverage', '.cache', '.git']
const files = globSync('**/*.{ts,mjs}', { cwd: root, exclude: (path) => skipped.includes(path.split('/')[0] ?? '') })

describe('the architecture', () => {
  it('is kept by every source file', () => {
    expect(files.length).toBeGreaterThan(50)
    expect(files.flatMap((file) => breachesOf(file, readFileSync(join(root, file), 'utf8')))).toEqual([])
  })

  it('names no exception that nothing needs any more', () => {
    const used = Object.keys(EXCEPTIONS).filter((file) => files.includes(file))
    expect(used).toEqual(Object.keys(EXCEPTIONS))
    for (const [file, targets] of Object.entries(EXCEPTIONS)) {
      const text = readFileSync(join(root, file), 'utf8')
      for (const target of targets) expect(text).toMatch(new RegExp(`'#?${target}'`))
    }
  })
})

describe('the rules', () => {
  const ADAPTER = 'adapters/git/clone.ts'
  const SERVICE = 'services/sync/run-cycle.ts'

  it.each<[path: string, code: string, rule: string]>([
    ['core/claim.ts', `import { readFileSync } from 'node:fs'`, 'may not import node:fs'],
    ['core/claim.ts', `import { pino } from 'pino'`, 'may not import pino'],
    ['core/claim.ts', `import type { Log } from '#runtime/logger.ts'`, 'may not import runtime/logger.ts (type)'],
    ['core/claim.ts', `import { x } from '../adapters/git/clone.ts'`, 'may not import adapters/git/clone.ts'],
    ['core/claim.ts', `import 'node:fs'`, 'may not import node:fs'],
    ['core/claim.ts', `import {\n  a,\n  b,\n} from 'node:fs'`, 'may not import node:fs'],
    ['core/ports/clock.ts', `import { z } from 'zod'`, 'may not import zod'],
    ['core/ports/clock.ts', `import { vaultPath } from '../vault-path.ts'`, 'may not import core/vault-path.ts'],
    ['core/claim.ts', 'const now = Date.now()', 'is not pure: Date.now'],
    ['core/claim.ts', 'const now = new Date()', 'is not pure: new Date()'],
    ['core/claim.ts', 'const luck = Math.random()', 'is not pure: Math.random'],
    ['core/claim.ts', 'process.exit(1)', 'is not pure: process.'],
    ['core/claim.ts', 'console.log(1)', 'has effects'],
    ['core/claim.ts', `const fs = await import('node:fs')`, 'imports dynamically outside a main.ts'],
    [SERVICE, `const fs = await import('node:fs')`, 'imports dynamically outside a main.ts'],
    [
      ADAPTER,
      `import { openVault } from '#adapters/vault-fs/vault-fs.ts'`,
      'may not import adapters/vault-fs/vault-fs.ts',
    ],
    [ADAPTER, `import { Queue } from 'bullmq'`, 'may not import bullmq'],
    [ADAPTER, `import { createLogger } from '#runtime/logger.ts'`, 'may not import runtime/logger.ts'],
    [ADAPTER, `import { type Log, createLogger } from '#runtime/logger.ts'`, 'may not import runtime/logger.ts'],
    [ADAPTER, 'const home = process.env.HOME', 'reads process.env'],
    ['runtime/http.ts', `import { parseTaskFile } from '#core/task-file.ts'`, 'may not import core/task-file.ts'],
    ['runtime/http.ts', 'const port = process.env.PORT', 'reads process.env'],
    [
      'services/sync/main.ts',
      `import { triage } from '#services/triage/triage.ts'`,
      'may not import services/triage/triage.ts',
    ],
    ['services/sync/main.ts', `import { Redis } from 'ioredis'`, 'may not import ioredis'],
    [SERVICE, `import { openClone } from '#adapters/git/clone.ts'`, 'may not import adapters/git/clone.ts'],
    [SERVICE, `import type { Clone } from '#adapters/git/clone.ts'`, 'may not import adapters/git/clone.ts (type)'],
    [SERVICE, `import { readFile } from 'node:fs/promises'`, 'may not import node:fs/promises'],
    [SERVICE, `import { runService } from '#runtime/service.ts'`, 'may not import runtime/service.ts'],
    ['mcp/email/tools/send-email.ts', `import { createTransport } from 'nodemailer'`, 'may not import nodemailer'],
    ['services/sync/index.ts', `export * from './run-cycle.ts'`, 're-exports another file (barrel)'],
    ['services/sync/index.ts', `export { runCycle } from './run-cycle.ts'`, 're-exports another file (barrel)'],
    ['helpers/strings.ts', 'export const a = 1', 'stands in no known layer'],
    ['core/claim.ts', '\n'.repeat(301), 'has 301 lines, more than 300 (claim.ts)'],
    ['core/claim.test.ts', '\n'.repeat(601), 'has 601 lines, more than 600 (claim.test.ts)'],
  ])('catch in %s: %j', (path, code, rule) => {
    expect(breachesOf(path, code)).toContainEqual({ file: path, rule })
  })

  it.each<[path: string, code: string]>([
    [
      'core/claim.ts',
      `import { z } from 'zod'\nimport { placeOf } from './vault-path.ts'\nimport { createHash } from 'node:crypto'`,
    ],
    ['core/claim.ts', '// Date.now() would make this untestable\n/** never process.env */\nconst at = new Date(nowMs)'],
    ['core/ports/clock.ts', `import type { TaskId } from '../ids.ts'`],
    [ADAPTER, `import { simpleGit } from 'simple-git'\nimport { spawn } from 'node:child_process'`],
    [ADAPTER, `import type { Log } from '#runtime/logger.ts'\nimport { type Metrics } from '#runtime/metrics.ts'`],
    [
      'services/sync/main.ts',
      `import { openClone } from '#adapters/git/clone.ts'\nconst late = await import('#adapters/a/b.ts')`,
    ],
    [
      SERVICE,
      `import type { Log } from '#runtime/logger.ts'\nimport { join } from 'node:path'\nimport { x } from './merge.ts'`,
    ],
    ['services/sync/config.ts', `import { zoneSettings } from '#runtime/settings.ts'\nimport { z } from 'zod'`],
    ['mcp/email/tools/send-email.ts', `import { z } from 'zod'\nimport { reply } from '../tool-result.ts'`],
    ['cli/doctor.ts', `import { Redis } from 'ioredis'\nconst home = process.env.HOME`],
    ['core/claim.test.ts', `import { readFileSync } from 'node:fs'\nconst now = Date.now()`],
    ['core/table.ts', `// size: one table, read from top to bottom\n${'\n'.repeat(400)}`],
  ])('allow in %s: %j', (path, code) => {
    expect(breachesOf(path, code)).toEqual([])
  })
})
