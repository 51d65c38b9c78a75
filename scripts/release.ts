import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { licenceText, licensed } from './licences.ts'
import { LockFile } from './packages.ts'
import { notReady } from './release-ready.ts'
import { type Commit, imageSbom, lookIntoImage, npmSbom } from './sbom.ts'

const run = promisify(execFile)
const IMAGES = ['cloud', 'local', 'browser', 'hub', 'backup'] as const
const HELP = `usage: npm run release [-- OPTION…]
Makes a release of the commit that is checked out: builds the images and writes into dist/release-VERSION/ the sources, what
is in them (CycloneDX), their licences, and the digests of all that. Nothing is sent anywhere. docs/releases.md
  --check           only looks whether the tree is clean and every file names the same version
  --without-images  neither builds images nor looks into them
  --tag             at the end, tags the commit vVERSION
Exit codes: 0 done, 1 not ready or failed, 2 wrong usage.`

const root = dirname(import.meta.dirname)

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const flag = { type: 'boolean' } as const
  const options = { check: flag, 'without-images': flag, tag: flag, help: flag }
  let values: Partial<Record<keyof typeof options, boolean>>
  try {
    values = parseArgs({ args, options }).values
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`)
    return 2
  }
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const faults = [...(await notReady(root)), ...(await faultsOfLock())]
  if (faults.length > 0) {
    console.error(`not ready for a release:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
    return 1
  }
  const commit = await thisCommit()
  console.log(`${commit.version}: ${commit.revision}, ${commit.created}`)
  if (values.check) return 0
  const out = join(root, 'dist', `release-${commit.version}`)
  await rm(out, { recursive: true, force: true })
  await mkdir(out, { recursive: true })
  const write = (name: string, data: object | string) =>
    writeFile(join(out, name), typeof data === 'string' ? data : `${JSON.stringify(data, null, 2)}\n`)

  const name = `countersign-${commit.version}`
  await git('archive', '--format=tar.gz', `--prefix=${name}/`, '-o', join(out, `${name}.tar.gz`), 'HEAD')
  const packages = licensed(new LockFile(root).production(), { root, bundled: false })
  await write('LICENSES.txt', licenceText(packages))
  await write(
    'licences.json',
    packages.map(({ texts, ...one }) => ({ ...one, texts: texts.map(({ file }) => `${one.place}/${file}`) })),
  )
  await write('sbom-packages.cdx.json', await npmSbom(root, commit))
  if (!values['without-images']) {
    const images = []
    for (const image of IMAGES) {
      const built = await buildImage(image, commit)
      await write(`sbom-${image}.cdx.json`, imageSbom(image, await lookIntoImage(built.id), { root, commit }))
      images.push(built)
    }
    await write('images.json', images)
  }
  await write('SHA256SUMS', await digestsIn(out))
  if (values.tag) await tag(commit)
  console.log(`${out}:\n${(await readdir(out)).sort().join('\n')}`)
  return 0
}

async function faultsOfLock(): Promise<string[]> {
  const asked = run(process.execPath, [join(root, 'scripts/lock-policy.mjs'), root])
  return asked.then(
    () => [],
    ({ stderr }) => String(stderr).trim().split('\n'),
  )
}

/** Builds `countersign/<image>:<version>` with the commit in its labels. */
async function buildImage(image: string, { version, revision, created }: Commit) {
  const tag = `countersign/${image}:${version}`
  const labels = { 'org.opencontainers.image.revision': revision, 'org.opencontainers.image.created': created }
  const args = Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`])
  console.log(`building ${tag} …`)
  await run('docker', ['build', '--quiet', '--target', image, '--tag', tag, ...args, '.'], {
    cwd: root,
    maxBuffer: 1e8,
  })
  const { stdout } = await run('docker', ['image', 'inspect', tag, '--format', '{{json .}}'], { maxBuffer: 1e8 })
  const { Id: id, Config } = JSON.parse(stdout)
  return { tag, id: String(id), labels: Config.Labels }
}

/** An annotated tag, or what is there already when it is at this commit (`notReady` looked). */
async function tag({ version }: Commit): Promise<void> {
  if ((await git('tag', '--list', `v${version}`)) === '')
    await git('tag', '-a', `v${version}`, '-m', `Countersign ${version}`)
}

/** As `sha256sum --check` reads it. */
async function digestsIn(folder: string): Promise<string> {
  const lines = (await readdir(folder)).sort().map(async (name) => {
    const digest = createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex')
    return `${digest}  ${name}\n`
  })
  return (await Promise.all(lines)).join('')
}

async function thisCommit(): Promise<Commit> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const [revision = '', seconds = ''] = (await git('log', '-1', '--format=%H %ct')).split(' ')
  return { version, revision, created: new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z') }
}

async function git(...args: string[]): Promise<string> {
  return (await run('git', args, { cwd: root, maxBuffer: 1e8 })).stdout.trim()
}
