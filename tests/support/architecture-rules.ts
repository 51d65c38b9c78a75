import { posix } from 'node:path'

/** A rule that a source file breaks. */
export interface Breach {
  readonly file: string
  readonly rule: string
}

interface Import {
  readonly target: string
  readonly isType: boolean
}

/** What core may take from outside: schemas, YAML, and what Node computes without touching anything. */
const RUNTIME_MODULES = [
  ...['core/credentials.ts', 'core/errors.ts', 'core/openssh-key.ts', 'core/trust.ts'],
  ...['package.json', 'fastify', 'pino', 'prom-client', 'zod'],
]
const CORE_MODULES = ['zod', 'yaml', 'node:crypto', 'node:path/posix', 'node:url']
/** Each vendor's package belongs to one adapter (or to runtime, mcp): everything else goes through a port. */
const VENDORS: Readonly<Record<string, readonly string[]>> = {
  browser: ['@modelcontextprotocol/client', '@modelcontextprotocol/client/stdio', 'package.json', 'yaml', 'zod'],
  diff: ['diff'],
  git: ['simple-git'],
  gmail: ['@googleapis/gmail'],
  imap: ['imapflow'],
  mcp: ['@modelcontextprotocol/client', 'package.json'],
  model: ['@ai-sdk/anthropic', '@ai-sdk/openai-compatible'],
  mime: ['html-to-text', 'nodemailer/lib/mail-composer', 'postal-mime'],
  odoo: ['xmlrpc', 'xmlrpc/lib/deserializer.js', 'zod'],
  queue: [
    ...['bullmq', 'ioredis', 'zod'],
    ...['@bull-board/api', '@bull-board/api/bullMQAdapter', '@bull-board/fastify', 'fastify'],
  ],
  restic: ['zod'],
  secretlint: ['@secretlint/core', '@secretlint/profiler', '@secretlint/secretlint-rule-preset-recommend'],
  smtp: ['nodemailer', 'nodemailer/lib/smtp-connection'],
  social: ['zod'],
  'vault-fs': ['chokidar'],
  'zone-copy': ['zod'],
  whatsapp: [
    ...[
      '@modelcontextprotocol/client',
      '@modelcontextprotocol/server',
      'package.json',
      'qrcode',
      'whatsapp-web.js',
      'zod',
    ],
  ],
}
/** What a use case may take from Node: no I/O, so that every effect goes through a port or a passed function. */
const PURE_NODE = ['node:crypto', 'node:path', 'node:path/posix', 'node:timers/promises', 'node:util']
/**
 * Single files that look at the disk without changing the vault: a port with one method for each would say no more.
 * And `draft_email` and `draft_post`, which hand a draft in by the drafter's own use case: a second one would be a second set of rules.
 */
export const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  'mcp/email/main-cloud.ts': ['services/drafter/draft-reply.ts', 'services/drafter/hand-in.ts'],
  'mcp/social/main-cloud.ts': ['services/drafter/draft-post.ts', 'services/drafter/hand-in.ts'],
  'mcp/odoo/main-cloud.ts': ['services/drafter/hand-in.ts'],
  // The drill runs what a person verifies ledgers with.
  'services/backup/main-deps.ts': ['cli/audit.ts'],
  'services/executor/zone-news.ts': ['node:fs/promises'],
  'services/health/count-vault.ts': ['node:fs', 'node:fs/promises'],
  'services/health/measure-disks.ts': ['node:fs/promises'],
  'services/health/write-status.ts': ['node:fs/promises'],
}
/** Folders that put programs together, or look at them from outside. */
const ROOTS = ['bench', 'cli', 'demo', 'grafana', 'scripts', 'services/hub', 'tests']
const ENV_READERS = ['bench', 'cli', 'demo', 'scripts', 'tests', 'runtime/config.ts', 'vitest.config.ts']

/** Every rule of the architecture that the file breaks; `path` is relative to the repository's root. */
export function breachesOf(path: string, text: string): Breach[] {
  const code = withoutComments(text)
  const isTest = path.endsWith('.test.ts') || isIn(path, 'tests')
  const rules = [
    ...(isTest ? [] : importRules(path, code)),
    ...(isTest ? [] : sourceRules(path, code)),
    ...sizeRules(path, text, isTest),
  ]
  return rules.map((rule) => ({ file: path, rule }))
}

function importRules(path: string, code: string): string[] {
  const allows = allowListOf(path)
  if (!allows) return ['stands in no known layer']
  return importsOf(path, code)
    .filter((one) => !allows(one) && !EXCEPTIONS[path]?.includes(one.target))
    .map(({ target, isType }) => `may not import ${target}${isType ? ' (type)' : ''}`)
}

/** The allow-list of a file's layer; undefined for a file outside all of them. */
function allowListOf(path: string): ((one: Import) => boolean) | undefined {
  const [layer = '', name = ''] = path.split('/')
  const own = `${layer}/${name}`
  const isMain = path.startsWith(`${own}/main`) && /\/main(-[a-z]+)?\.ts$/.test(path)
  const runtimeType = (one: Import) => one.isType && isIn(one.target, 'runtime')
  if (ROOTS.some((root) => isIn(path, root)) || path === 'vitest.config.ts') return () => true
  switch (layer) {
    case 'core':
      return name === 'ports'
        ? ({ target, isType }) => isType && isIn(target, 'core')
        : ({ target }) => isIn(target, 'core') || CORE_MODULES.includes(target)
    case 'runtime':
      return ({ target, isType }) =>
        isIn(target, 'runtime') ||
        isNode(target) ||
        (isType && isIn(target, 'core')) ||
        RUNTIME_MODULES.includes(target)
    case 'adapters':
      return (one) =>
        isIn(one.target, own) ||
        isIn(one.target, 'core') ||
        isNode(one.target) ||
        (VENDORS[name] ?? []).includes(one.target) ||
        (one.isType && ['runtime/logger.ts', 'runtime/metrics.ts'].includes(one.target))
    case 'services':
    case 'mcp': {
      if (isMain) {
        const reach = [own, 'core', 'runtime', 'adapters', 'mcp']
        const stdio = layer === 'mcp' ? '@modelcontextprotocol/server/stdio' : undefined
        return ({ target }) => reach.some((folder) => isIn(target, folder)) || isNode(target) || target === stdio
      }
      const vendors = layer === 'mcp' ? ['@modelcontextprotocol/server', 'package.json', 'zod'] : []
      if (path === `${own}/config.ts`)
        vendors.push(
          'runtime/bank-settings.ts',
          'runtime/site-settings.ts',
          'runtime/odoo-settings.ts',
          'runtime/config.ts',
          'runtime/settings.ts',
          'runtime/model-settings.ts',
          'zod',
        )
      // What all MCP servers have in common.
      const shared = layer === 'mcp' ? 'mcp/shared' : own
      return (one) =>
        isIn(one.target, own) ||
        isIn(one.target, shared) ||
        isIn(one.target, 'core') ||
        PURE_NODE.includes(one.target) ||
        vendors.includes(one.target) ||
        runtimeType(one)
    }
    default:
      return undefined
  }
}

function sourceRules(path: string, code: string): string[] {
  const rules: string[] = []
  const mayLoadLate =
    /(^|\/)main(-[a-z]+)?\.ts$/.test(path) || ['bench', 'cli', 'demo', 'scripts'].some((root) => isIn(path, root))
  if (!mayLoadLate && /\bimport\(/.test(code)) rules.push('imports dynamically outside a main.ts')
  if (!ENV_READERS.some((reader) => isIn(path, reader)) && /\bprocess\.env\b/.test(code))
    rules.push('reads process.env')
  if (code.match(RE_EXPORT)) rules.push('re-exports another file (barrel)')
  if (isIn(path, 'core') && !isIn(path, 'core/ports')) {
    for (const impure of [
      /\bDate\.now\b/,
      /\bnew Date\(\)/,
      /\bMath\.random\b/,
      /\bprocess\./,
      /\bperformance\.now\b/,
    ]) {
      const found = impure.exec(code)
      if (found) rules.push(`is not pure: ${found[0]}`)
    }
    if (/\b(setTimeout|setInterval|fetch|console)\b[.(]/.test(code)) rules.push('has effects')
  }
  return rules
}

/** An alarm, not a goal: past it, split by reason to change, or say why not in a line that begins with `// size:`. */
function sizeRules(path: string, text: string, isTest: boolean): string[] {
  const limit = isTest ? 600 : 300
  const lines = text.split('\n').length - 1
  if (lines <= limit || /^\/\/ size: \S.{10,}/m.test(text)) return []
  return [`has ${lines} lines, more than ${limit} (${posix.basename(path)})`]
}

const IMPORT = /^import\s+(?:([^'"`;]*?)\s+from\s+)?'([^']+)'/gm
const RE_EXPORT = /^export\s+((?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\}))\s+from\s+'([^']+)'/gm

function importsOf(path: string, code: string): Import[] {
  return [...code.matchAll(IMPORT), ...code.matchAll(RE_EXPORT)].map(([, clause = '', specifier = '']) => ({
    target: resolve(path, specifier),
    isType: isTypeOnly(clause.trim()),
  }))
}

function isTypeOnly(clause: string): boolean {
  if (clause.startsWith('type ')) return true
  const names = /^\{([\s\S]*)\}$/
    .exec(clause)?.[1]
    ?.split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  return names !== undefined && names.length > 0 && names.every((name) => name.startsWith('type '))
}

function resolve(path: string, specifier: string): string {
  if (specifier.startsWith('#')) return specifier.slice(1)
  return specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier
}

/** Good enough for formatted code: a comment marker inside a string takes at most the rest of its line away. */
function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*[\s\S]*?\*\//gm, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

function isNode(target: string): boolean {
  return target.startsWith('node:')
}
