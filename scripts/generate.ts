import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { generatedFiles } from '../grafana/source/files.ts'

const HELP = `usage: npm run generate
Writes Prometheus's rules and Grafana's dashboards, alerts and contact points, all made from grafana/source/ and
docs/runbook.md.`

const root = dirname(import.meta.dirname)

if (process.argv.length > 2) {
  console.log(HELP)
  process.exitCode = process.argv.includes('--help') ? 0 : 2
} else {
  const files = generatedFiles(await readFile(join(root, 'docs/runbook.md'), 'utf8'))
  for (const [path, text] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  console.log(`${files.size} files written`)
}
