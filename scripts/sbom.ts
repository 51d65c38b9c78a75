import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { SOURCES_MARK } from '../core/acting-code.ts'
import { type Licensed, licensed } from './licences.ts'
import { idOf, LockFile, type Package } from './packages.ts'

const run = promisify(execFile)

/** The commit that a release is made of. */
export interface Commit {
  readonly version: string
  readonly revision: string
  /** When it was committed, RFC 3339 in UTC. */
  readonly created: string
}

export interface Component {
  readonly 'bom-ref': string
  readonly type: string
  readonly name: string
  readonly version: string
  readonly purl?: string
  readonly [more: string]: unknown
}

/** CycloneDX 1.5, the parts that are read again here. */
export interface Sbom {
  readonly bomFormat: 'CycloneDX'
  readonly specVersion: '1.5'
  readonly serialNumber: string
  readonly metadata: { readonly timestamp: string; readonly [more: string]: unknown }
  readonly components: readonly Component[]
  readonly [more: string]: unknown
}

/**
 * What npm says of the lock file, of the packages that the programs are made of or may need, and without npm's own time and
 * random number. Not npm's `--omit=dev`: it leaves out packages that something in development needs as well.
 */
export async function npmSbom(root: string, commit: Commit): Promise<Sbom> {
  const args = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx']
  const { stdout } = await run('npm', args, { cwd: root, maxBuffer: 1e8 })
  const said = JSON.parse(stdout) as Sbom & { readonly dependencies: readonly { ref: string; dependsOn: string[] }[] }
  const kept = new Set(new LockFile(root).production().map(idOf))
  const dependencies = said.dependencies
    .filter(({ ref }) => kept.has(ref) || ref.startsWith('countersign@'))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => kept.has(one)) }))
  return {
    ...said,
    ...heading('packages', commit, `countersign@${commit.version}`),
    components: said.components.filter((one) => kept.has(one['bom-ref'])),
    dependencies,
  }
}

/** What was found inside an image. */
export interface ImageLook {
  readonly os: { readonly id: string; readonly version: string }
  readonly node: string
  readonly debian: readonly { readonly name: string; readonly version: string; readonly arch: string }[]
  /** The source files that its programs say they were made of. */
  readonly sources: readonly string[]
  /** npm packages that stand in it as they are. */
  readonly whole: readonly { readonly name: string; readonly version: string }[]
}

/** Runs in the image, by its own Node. */
const LOOK = `
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const os = Object.fromEntries(fs.readFileSync('/etc/os-release', 'utf8').split('\\n').map((line) => line.replaceAll('"', '').split('=')))
const format = '\${db:Status-Status}\\t\${Package}\\t\${Version}\\t\${Architecture}\\n'
const debian = execFileSync('dpkg-query', ['-W', '-f', format], { encoding: 'utf8' }).split('\\n').map((line) => line.split('\\t'))
const sources = fs.readdirSync('/app').filter((name) => name.endsWith('.mjs')).flatMap((name) => {
  const text = fs.readFileSync('/app/' + name, 'utf8')
  const at = text.lastIndexOf(MARK)
  if (at < 0) throw new Error('/app/' + name + ' does not say what it was made of')
  return JSON.parse(text.slice(at + MARK.length))
})
const manifests = ['/app', '/usr/lib', '/usr/local', '/opt'].flatMap((folder) => fs.globSync(folder + '/**/package.json'))
const whole = manifests.map((file) => JSON.parse(fs.readFileSync(file, 'utf8'))).filter((one) => one.name && one.version)
console.log(JSON.stringify({
  os: { id: os.ID, version: os.VERSION_ID },
  node: process.versions.node,
  debian: debian.filter(([status]) => status === 'installed').map(([, name, version, arch]) => ({ name, version, arch })),
  sources: [...new Set(sources)].sort(),
  whole: whole.map(({ name, version }) => ({ name, version })),
}))`

/** Looks into an image that is on this machine. */
export async function lookIntoImage(image: string): Promise<ImageLook> {
  const script = `const MARK = ${JSON.stringify(SOURCES_MARK)}\n${LOOK}`
  const args = ['run', '--rm', '--network', 'none', '--read-only', '--entrypoint', 'node', image, '-e', script]
  const { stdout } = await run('docker', args, { maxBuffer: 1e8 })
  return JSON.parse(stdout)
}

/** Everything in an image: its system, Debian's packages, Node, and npm's packages, in bundles or as they are. */
export function imageSbom(name: string, look: ImageLook, options: { root: string; commit: Commit }): Sbom {
  const { root, commit } = options
  const lock = new LockFile(root)
  const whole = look.whole.map((one) => {
    const found = lock.all().find((entry) => idOf(entry) === idOf(one))
    if (!found) throw new Error(`the image ${name} holds ${idOf(one)}, which package-lock.json does not have`)
    return found
  })
  const components = [
    { 'bom-ref': `os:${look.os.id}`, type: 'operating-system', name: look.os.id, version: look.os.version },
    component('application', { name: 'node', version: look.node, purl: `pkg:generic/node@${look.node}` }),
    ...look.debian.map(({ name, version, arch }) => {
      const purl = `pkg:deb/${look.os.id}/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${arch}&distro=${look.os.id}-${look.os.version}`
      return component('library', { name, version, purl })
    }),
    ...licensed(lock.of(look.sources), { root, bundled: true }).map(npmComponent),
    ...licensed(whole, { root, bundled: false }).map(npmComponent),
  ]
  const once = new Map(components.map((one) => [one['bom-ref'], one]))
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    ...heading(name, commit, `countersign/${name}@${commit.version}`),
    components: [...once.values()].sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1)),
  }
}

function heading(name: string, { version, revision, created }: Commit, ref: string) {
  const digest = createHash('sha256').update(`${revision} ${name}`).digest('hex')
  // A UUID of version 8: made of what it names.
  const parts = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `8${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ]
  const isImage = name !== 'packages'
  return {
    serialNumber: `urn:uuid:${parts.join('-')}`,
    metadata: {
      timestamp: created,
      component: {
        'bom-ref': ref,
        type: isImage ? 'container' : 'application',
        name: isImage ? `countersign/${name}` : 'countersign',
        version,
        licenses: [{ license: { id: 'MIT' } }],
        properties: [{ name: 'countersign:revision', value: revision }],
      },
    },
  }
}

function component(type: string, { name, version, purl }: { name: string; version: string; purl: string }): Component {
  return { 'bom-ref': purl, type, name, version, purl }
}

function npmComponent({ name, version, licence }: Licensed): Component {
  const purl = purlOf({ name, version })
  const said = / (OR|AND) /.test(licence) ? { expression: licence } : { license: { id: licence } }
  return { ...component('library', { name, version, purl }), licenses: [said] }
}

/** How a package of npm's is called in a list that also has others. */
export function purlOf({ name, version }: Pick<Package, 'name' | 'version'>): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`
}
