import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build, type Metafile, type Plugin } from 'esbuild'
import { ACTING_CODE, SOURCES_MARK } from '../core/acting-code.ts'
import { licenceText, licensed } from './licences.ts'
import { LockFile } from './packages.ts'

/**
 * The programs of each image, a closed list: what is not named here is in no image. Each becomes one file
 * `dist/<set>/<name>.mjs`.
 */
export const BUNDLE_SETS = {
  cloud: {
    triage: 'services/triage/main.ts',
    drafter: 'services/drafter/main.ts',
    sync: 'services/sync/main.ts',
    health: 'services/health/main.ts',
    egress: 'services/egress/main.ts',
    board: 'services/board/main.ts',
    countersign: 'cli/main.ts',
    'mcp-email': 'mcp/email/main.ts',
    'mcp-social': 'mcp/social/main.ts',
    'mcp-odoo': 'mcp/odoo/main.ts',
  },
  local: {
    drafter: 'services/drafter/main.ts',
    executor: 'services/executor/main.ts',
    browser: 'services/browser/main.ts',
    egress: 'services/egress/main.ts',
    sync: 'services/sync/main.ts',
    health: 'services/health/main.ts',
    board: 'services/board/main.ts',
    countersign: 'cli/main.ts',
    'mcp-email': 'mcp/email/main.ts',
    'mcp-social': 'mcp/social/main.ts',
    'mcp-odoo': 'mcp/odoo/main.ts',
    'mcp-whatsapp': 'mcp/whatsapp/main.ts',
  },
  /** Beside those of the local zone, where a browser is at hand: what drives one stays a package (`EXTERNAL`). */
  browser: {
    whatsapp: 'services/whatsapp/main.ts',
  },
  /** For both zones: it has everything of a zone, and can do nothing with it. */
  backup: {
    backup: 'services/backup/main.ts',
    countersign: 'cli/main.ts',
  },
  hub: {
    'prepare-hub': 'services/hub/prepare-hub.ts',
    'authorized-keys': 'services/hub/authorized-keys.ts',
    gate: 'services/hub/main.ts',
  },
} as const

export type BundleSet = keyof typeof BUNDLE_SETS

/** They find files of their own beside them, and cannot be bundled: the image `browser` has them whole. */
export const BROWSER_PACKAGES = ['whatsapp-web.js', '@playwright/mcp'] as const

/** The packages that stand whole in an image, beside the bundles. */
export const WHOLE_PACKAGES: Readonly<Partial<Record<BundleSet, readonly string[]>>> = {
  cloud: ['@bull-board/ui'],
  local: ['@bull-board/ui'],
  browser: BROWSER_PACKAGES,
}

/** What runs both zones on a developer's machine: in no image at all. */
const DEVELOPMENT: readonly RegExp[] = [/^demo\//, /^cli\/commands\/(demo|start|mail)\.ts$/]

/** The acting files among a bundle's inputs, sorted. */
export function actingInputs(metafile: Pick<Metafile, 'inputs'>): string[] {
  return Object.keys(metafile.inputs)
    .filter((input) => ACTING_CODE.some((pattern) => pattern.test(input)))
    .sort()
}

/**
 * Bundles entry points (name → file below `root`) into `<outDir>/<name>.mjs`, and says what went in. Throws, having
 * written nothing, when `acting` is false and acting code would be among it.
 */
export async function bundle(
  entries: Readonly<Record<string, string>>,
  options: { root: string; outDir: string; acting: boolean },
): Promise<Metafile> {
  const result = await build({
    absWorkingDir: options.root,
    entryPoints: entries,
    outdir: options.outDir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // BullMQ's other back ends are optional peers which nothing here installs; msgpackr does without its native half.
    external: ['pg', 'redis', 'bullmq-otel', 'msgpackr-extract', ...BROWSER_PACKAGES],
    // CommonJS packages inside an ES module still call require() for node's own modules.
    banner: {
      js: "import { createRequire as bundledRequire } from 'node:module'; const require = bundledRequire(import.meta.url);",
    },
    plugins: [
      englishOnly,
      leaveOutLazyImports(options.root, options.acting ? DEVELOPMENT : [...DEVELOPMENT, ...ACTING_CODE]),
    ],
    // Each process keeps the text of its program: half of it would be indentation. Lines stay short, for stack traces.
    minifyWhitespace: true,
    lineLimit: 160,
    metafile: true,
    write: false,
    logLevel: 'warning',
  })
  const acting = options.acting ? [] : actingInputs(result.metafile)
  if (acting.length > 0) {
    throw new Error(`acting code in a bundle of the cloud zone (${options.outDir}): ${acting.join(', ')}`)
  }
  await mkdir(resolve(options.root, options.outDir), { recursive: true })
  for (const { path, contents } of result.outputFiles) {
    const { inputs = {} } = result.metafile.outputs[relative(options.root, path)] ?? {}
    await writeFile(
      path,
      Buffer.concat([contents, Buffer.from(`${SOURCES_MARK}${JSON.stringify(Object.keys(inputs).sort())}\n`)]),
    )
  }
  return result.metafile
}

/** Zod's own messages in some fifty languages take 5 MB in each process, and none but the English ones are ever used. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup(build) {
    build.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, ({ path }) => ({
      contents: "export { default as en } from './en.js'",
      resolveDir: dirname(path),
    }))
  },
}

/**
 * A lazy import (`await import(…)`) of what is left out is a branch this image never takes: the bundle gets a module that
 * refuses in its place. A static import stays as it is, and so acting code fails the cloud's build.
 */
function leaveOutLazyImports(root: string, leftOut: readonly RegExp[]): Plugin {
  return {
    name: 'leave-out-lazy-imports',
    setup(build) {
      build.onResolve({ filter: /^[.#]/ }, async ({ kind, path, importer, resolveDir, pluginData }) => {
        if (kind !== 'dynamic-import' || pluginData === 'resolved') return undefined
        const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: 'resolved' })
        const file = relative(root, found.path)
        return leftOut.some((pattern) => pattern.test(file)) ? { path: file, namespace: 'left-out' } : undefined
      })
      build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
        contents: `import { CountersignError } from './errors.ts'
          throw new CountersignError('ERR_USAGE', ${JSON.stringify(`${path} is no part of this image`)})`,
        resolveDir: join(import.meta.dirname, '../core'),
      }))
    },
  }
}

/**
 * Copies packages, and all that they depend on, into `<outDir>/node_modules`, as they stand in the lock file's tree. What is
 * only optional stays out.
 */
export async function copyPackages(names: readonly string[], root: string, outDir: string): Promise<string[]> {
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dependencies?: Record<string, string> }>
  }
  const found = new Set<string>()
  const waiting = names.map((name) => placeOf(name, '', packages))
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (found.has(place)) continue
    found.add(place)
    for (const name of Object.keys(packages[place]?.dependencies ?? {})) waiting.push(placeOf(name, place, packages))
  }
  for (const place of found) {
    const from = join(root, place)
    // Packages below it are copied for themselves.
    const filter = (source: string) => !relative(from, source).split('/').includes('node_modules')
    await cp(from, join(resolve(root, outDir), place), { recursive: true, dereference: true, filter })
  }
  return [...found].sort()
}

/** Where Node would find a package that is asked for from a place in the tree. */
function placeOf(name: string, from: string, packages: Readonly<Record<string, unknown>>): string {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const place = `${at === '' ? '' : `${at}/`}node_modules/${name}`
    if (Object.hasOwn(packages, place)) return place
    if (at === '') throw new Error(`${name}, which ${from || 'the program'} needs, is not in package-lock.json`)
  }
}

const USAGE = `Usage: node scripts/bundle.ts [--out DIR] SET...

Bundles the programs of an image into DIR/SET/*.mjs (DIR: dist). SET: ${Object.keys(BUNDLE_SETS).join(', ')}.
Fails when acting code would be in a bundle of the cloud zone (cloud, backup, hub), or a licence is not permitted
(scripts/licences.ts). The licences' texts go to DIR/SET/LICENSES-SET.txt.`

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean' }, out: { type: 'string', default: 'dist' } },
  })
  const unknown = positionals.filter((set) => !Object.hasOwn(BUNDLE_SETS, set))
  if (values.help || positionals.length === 0 || unknown.length > 0) {
    const ok = values.help === true
    const faults = unknown.map((set) => `no such set: ${set}\n`).join('')
    process[ok ? 'stdout' : 'stderr'].write(`${faults}${USAGE}\n`)
    process.exitCode = ok ? 0 : 2
    return
  }
  for (const set of positionals as BundleSet[]) await makeSet(set, join(values.out, set))
}

/** One image's programs, its whole packages' places, and the licences of everything in them. */
async function makeSet(set: BundleSet, outDir: string): Promise<void> {
  const root = join(import.meta.dirname, '..')
  const { inputs } = await bundle(BUNDLE_SETS[set], { root, outDir, acting: set === 'local' || set === 'browser' })
  const whole = WHOLE_PACKAGES[set] ?? []
  const places =
    set === 'browser' ? await copyPackages(whole, root, outDir) : whole.map((name) => `node_modules/${name}`)
  const lock = new LockFile(root)
  const found = [
    ...licensed(lock.of(Object.keys(inputs)), { root, bundled: true }),
    ...licensed(
      places.map((place) => lock.at(place)),
      { root, bundled: false },
    ),
  ]
  await writeFile(join(resolve(root, outDir), `LICENSES-${set}.txt`), licenceText(found))
  process.stdout.write(`${outDir}: ${Object.keys(BUNDLE_SETS[set]).join(', ')}\n`)
}

if (import.meta.main) await main()
