import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'

const root = join(import.meta.dirname, '..')
const FOLDERS = ['.', 'tests/tools']

type Entry = Record<string, unknown>
interface Lock {
  readonly lockfileVersion: number
  readonly packages: Record<string, Entry>
}
const read = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8'))
const nameOf = (place: string, { name }: Entry) => String(name ?? place.replace(/^.*node_modules\//, ''))

/** The exit code and the faults which the policy tells of these folders. */
function check(...folders: string[]) {
  const args = [join(root, 'scripts/lock-policy.mjs'), ...folders]
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  return { status, faults: stderr.split('\n').filter(Boolean) }
}

/** What the policy says of this repository's own two files after `change`. */
function changed(change: (manifest: { allowScripts: Record<string, unknown> }, lock: Lock) => void) {
  const folder = mkdtempSync(join(tmpdir(), 'lock-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const [manifest, lock] = [read('package.json'), read('package-lock.json')]
  change(manifest, lock)
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock))
  const { status, faults } = check(folder)
  return { status, faults: faults.map((fault) => fault.slice(folder.length + 1)) }
}

describe('what npm is asked for', () => {
  it('comes from the registry under its own name, with a digest, and runs no script when it is installed', () => {
    expect(check(...FOLDERS)).toEqual({ status: 0, faults: [] })
    expect(readFileSync(join(root, '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m)
  })

  it.each(FOLDERS)('names in %s/package.json just those packages whose script somebody looked at', (folder) => {
    const { packages }: Lock = read(join(folder, 'package-lock.json'))
    const withScript = Object.entries(packages).filter(([, entry]) => entry.hasInstallScript)
    const reviewed: Record<string, boolean> = read(join(folder, 'package.json')).allowScripts
    expect(Object.keys(reviewed)).toEqual([...new Set(withScript.map(([place, entry]) => nameOf(place, entry)))].sort())
  })

  it.each(FOLDERS)('is complete in %s: `npm ci` finds nothing that the lock file lacks', (folder) => {
    const { packages }: Lock = read(join(folder, 'package-lock.json'))
    const missing = Object.entries(packages).flatMap(([place, entry]) => {
      const wanted = { ...(entry.dependencies as Entry), ...(entry.optionalDependencies as Entry) }
      return Object.keys(wanted).filter((name) => {
        for (let at = place; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
          if (packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`]) return false
          if (at === '') return true
        }
      })
    })
    expect(missing).toEqual([])
  })

  it('is the same for every machine: no other host, and no setting that lets a script run, is named anywhere', () => {
    for (const folder of FOLDERS) {
      const text = readFileSync(join(root, folder, 'package-lock.json'), 'utf8')
      const hosts = new Set([...text.matchAll(/"resolved": "https?:\/\/([^/]+)\//g)].map(([, host]) => host))
      expect([...hosts]).toEqual(['registry.npmjs.org'])
    }
    const commands = ['Dockerfile', 'scripts/bootstrap.mjs', 'scripts/test-tools.ts'].map((file) =>
      readFileSync(join(root, file), 'utf8'),
    )
    for (const text of commands) {
      expect(text).toMatch(/--ignore-scripts/)
      expect(text).not.toMatch(/npm install|npm i |ignore-scripts=false|dangerously-allow/)
    }
  })

  it.each<[what: string, change: (entry: Entry) => void, fault: RegExp]>([
    ['without a digest', (entry) => delete entry.integrity, /has no SHA-512 digest$/],
    [
      'with a weak digest',
      (entry) => Object.assign(entry, { integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }),
      /SHA-512/,
    ],
    ['from nowhere', (entry) => delete entry.resolved, /comes from nowhere/],
    [
      'from another host',
      (entry) => Object.assign(entry, { resolved: 'https://evil.test/zod/-/zod-4.6.7.tgz' }),
      /evil\.test/,
    ],
    [
      'from git',
      (entry) => Object.assign(entry, { resolved: 'git+ssh://git@host.test/a/zod.git#1' }),
      /comes from git/,
    ],
    [
      'that is another one',
      (entry) => Object.assign(entry, { resolved: 'https://registry.npmjs.org/z0d/-/z0d-4.6.7.tgz' }),
      /comes from .*z0d/,
    ],
    ['that is a link', (entry) => Object.assign(entry, { link: true, resolved: '../zod' }), /comes from \.\.\/zod/],
    ['with a script nobody looked at', (entry) => Object.assign(entry, { hasInstallScript: true }), /install script/],
  ])('is refused with a package %s', (_, change, fault) => {
    const { status, faults } = changed((_manifest, { packages }) => change(packages['node_modules/zod']!))
    expect(status).toBe(1)
    expect(faults[0]).toMatch(fault)
    expect(faults[0]).toMatch(/^zod@4\.6\.7 \(node_modules\/zod\)/)
  })

  it('is refused when the list lets a script run, or the lock file is an old one', () => {
    expect(changed(({ allowScripts }) => Object.assign(allowScripts, { esbuild: true })).faults).toEqual([
      'package.json: allowScripts allows esbuild, and no install script runs here',
    ])
    expect(changed((_, lock) => Object.assign(lock, { lockfileVersion: 1 })).faults).toEqual([
      'package-lock.json is none that npm 7 or newer wrote (lockfileVersion 3)',
    ])
  })
})
