import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { parseArgs, promisify } from 'node:util'

const run = promisify(execFile)
const root = dirname(import.meta.dirname)
const IMAGES = ['cloud', 'local', 'hub', 'backup', 'browser'] as const
const HELP = `usage: node scripts/compare-images.ts [IMAGE…]
Builds images (${IMAGES.join(', ')}; by default all) twice from this folder, each time anew, and compares what is in them:
every file's path, kind, mode, owner and SHA-256 (not its time). Takes minutes. Exit code 1 when something differs.`

/** What Docker puts into a container that runs. */
const DOCKERS = ['/proc', '/sys', '/dev', '/.dockerenv', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/etc/mtab']

const { values, positionals } = parseArgs({ allowPositionals: true, options: { help: { type: 'boolean' } } })
const unknown = positionals.filter((name) => !IMAGES.some((image) => image === name))
if (values.help || unknown.length > 0) {
  console.log(HELP)
  process.exitCode = values.help ? 0 : 2
} else {
  for (const image of positionals.length > 0 ? positionals : IMAGES) await compare(image)
}

async function compare(image: string): Promise<void> {
  const [first, second] = [await filesOfBuild(image), await filesOfBuild(image)]
  const paths = new Set([...first.keys(), ...second.keys()])
  const different = [...paths].filter((path) => first.get(path) !== second.get(path)).sort()
  console.log(
    `${image}: ${paths.size} paths, ${different.length === 0 ? 'the same in both builds' : `${different.length} differ`}`,
  )
  for (const path of different) {
    console.log(`  ${path}\n    ${first.get(path) ?? 'not there'}\n    ${second.get(path) ?? 'not there'}`)
  }
  if (different.length > 0) process.exitCode = 1
}

/** Path → kind, mode, owner, target of a link, digest. */
async function filesOfBuild(image: string): Promise<Map<string, string>> {
  const build = ['build', '--quiet', '--no-cache', '--target', image, '.']
  const { stdout: id } = await run('docker', build, { cwd: root, maxBuffer: 1e8 })
  const skipped = DOCKERS.map((path) => `-path ${path}`).join(' -o ')
  const list = `find / \\( ${skipped} \\) -prune -o`
  const script = `${list} -printf '%p\\t%y %m %U:%G %l\\n' && ${list} -type f -exec sha256sum {} +`
  try {
    const args = ['run', '--rm', '--network', 'none', '--user', '0:0', '--entrypoint', 'sh', id.trim(), '-c', script]
    const { stdout } = await run('docker', args, { maxBuffer: 1e9 })
    const files = new Map<string, string>()
    for (const line of stdout.split('\n').filter(Boolean)) {
      const [, digest, file] = /^\\?([0-9a-f]{64}) [ *](.*)$/.exec(line) ?? []
      if (digest && file) files.set(file, `${files.get(file) ?? ''}${digest}`)
      else files.set(line.split('\t')[0] ?? '', line.slice(line.indexOf('\t') + 1))
    }
    return files
  } finally {
    await run('docker', ['image', 'rm', id.trim()]).catch(() => {})
  }
}
