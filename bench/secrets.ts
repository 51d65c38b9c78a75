import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ruleScan } from '#core/content-scan.ts'
import { CORPORA, measure, rowOf } from '#tests/secrets/measure.ts'
import { bundle } from '../scripts/bundle.ts'

// What the scan finds, misses and finds by mistake, layer by layer, and what it costs. The counts follow from the
// corpora in tests/secrets alone; the times are this machine's.

const { values } = parseArgs({ options: { help: { type: 'boolean', default: false } } })
if (values.help) {
  console.log('bench/secrets')
  process.exit(0)
}

const root = resolve(import.meta.dirname, '..')
const MANUALS = 'Markdown manuals of the packages in node_modules'

/** Prints: processor time of loading (ms), of one scan (ms), resident memory (MB). */
const PROBE = `
const ms = (from) => { const { user, system } = process.cpuUsage(from); return (user + system) / 1000 }
const start = process.cpuUsage()
const { secretlintScan } = process.env.FILE ? await import(process.env.FILE) : { secretlintScan: () => ({ scan: async () => {} }) }
const loading = ms(start)
const before = process.cpuUsage()
await secretlintScan().scan({ path: 'x.md', bytes: Buffer.from('see https://me@x.example/ '.repeat(160)) })
console.log(loading, ms(before), process.memoryUsage().rss / 1e6)
`

console.log('| texts | how many | guard | rules | secretlint | held back | masked at ingest |')
console.log('|---|---|---|---|---|---|---|')
for (const [corpus, texts] of Object.entries(CORPORA)) console.log(rowOf(await measure(corpus, texts)))
const manuals = globSync('node_modules/**/*.md', { cwd: root }).map((path) => readFileSync(join(root, path)))
console.log(rowOf(await measure(MANUALS, manuals)))

console.log(`\n${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}\n`)
console.log('| cost | |\n|---|---|')
const note = manuals.filter((bytes) => bytes.length > 3_000 && bytes.length < 5_000).slice(0, 100)
await scanAll(note)
const perNote = await cpuMs(() => scanAll(note))
console.log(`| rules on a text of 4 kB, processor time | ${(perNote / note.length).toFixed(2)} ms |`)
for (const [what, cost] of Object.entries(await bundledCost())) console.log(`| ${what} | ${cost} |`)

async function scanAll(texts: readonly Uint8Array[]): Promise<void> {
  for (const bytes of texts) await ruleScan.scan({ path: 'Plans/x.md', bytes })
}

async function cpuMs(act: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** What loading secretlint adds to a process of the images, in a bundle and with their flags: best of five. */
async function bundledCost(): Promise<Record<string, string>> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-secrets-'))
  try {
    await bundle({ secretlint: 'adapters/secretlint/secretlint.ts' }, { root, outDir: dir, acting: false })
    return measureBundle(join(dir, 'secretlint.mjs'))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function measureBundle(file: string): Record<string, string> {
  const run = (isLoaded: boolean) =>
    spawnSync(
      process.execPath,
      ['--max-semi-space-size=1', '--optimize-for-size', '--input-type=module', '-e', PROBE],
      {
        encoding: 'utf8',
        env: { FILE: isLoaded ? file : '' },
      },
    )
      .stdout.trim()
      .split(' ')
      .map(Number)
  const best = (isLoaded: boolean) => {
    const runs = Array.from({ length: 5 }, () => run(isLoaded))
    return [0, 1, 2].map((column) => Math.min(...runs.map((one) => one[column] ?? Number.POSITIVE_INFINITY))) as [
      number,
      number,
      number,
    ]
  }
  const [bare, loaded] = [best(false), best(true)]
  return {
    'secretlint in a bundle': `${(statSync(file).size / 1024).toFixed(0)} kB`,
    'loading it, processor time': `${(loaded[0] - bare[0]).toFixed(0)} ms`,
    'its first scan of 4 kB, processor time': `${(loaded[1] - bare[1]).toFixed(0)} ms`,
    'resident memory after the first scan': `+ ${(loaded[2] - bare[2]).toFixed(1)} MB`,
  }
}
