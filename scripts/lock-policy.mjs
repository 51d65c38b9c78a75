// What a package-lock.json may ask npm for. Plain JavaScript without dependencies: it is asked before there are any.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const REGISTRY = 'https://registry.npmjs.org'
const SHA512 = /^sha512-[A-Za-z0-9+/]{86}==$/

/**
 * Why these packages may not be installed, in words; empty when they may. Each package has to be a registry's, under its own
 * name and version, with its digest, and one that has an install script has to stand in the manifest's `allowScripts`. No
 * install script runs, whatever stands there (.npmrc): the list says that somebody looked and found that none has to.
 */
export function lockFaults(manifest, lock) {
  const faults = []
  const reviewed = manifest.allowScripts ?? {}
  for (const [name, allowed] of Object.entries(reviewed)) {
    if (allowed !== false) faults.push(`package.json: allowScripts allows ${name}, and no install script runs here`)
  }
  for (const [place, entry] of Object.entries(lock.packages ?? {})) {
    if (place === '') continue
    const name = entry.name ?? place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
    const what = `${name}@${entry.version} (${place})`
    const tarball = `${REGISTRY}/${name}/-/${name.split('/').at(-1)}-${entry.version}.tgz`
    if (entry.resolved !== tarball)
      faults.push(`${what} comes from ${entry.resolved ?? 'nowhere'}, not from ${tarball}`)
    if (!SHA512.test(entry.integrity ?? '')) faults.push(`${what} has no SHA-512 digest`)
    if (entry.hasInstallScript && !Object.hasOwn(reviewed, name)) {
      faults.push(`${what} has an install script that is not in package.json's allowScripts`)
    }
  }
  if (lock.lockfileVersion !== 3 || Object.keys(lock.packages ?? {}).length === 0) {
    faults.push('package-lock.json is none that npm 7 or newer wrote (lockfileVersion 3)')
  }
  return faults
}

/** The same for a folder with both files. @param {string} folder */
export function faultsOfFolder(folder) {
  const [manifest, lock] = ['package.json', 'package-lock.json'].map((name) =>
    JSON.parse(readFileSync(join(folder, name), 'utf8')),
  )
  return lockFaults(manifest, lock)
}

if (process.argv[1] === import.meta.filename) {
  const folders = process.argv.length > 2 ? process.argv.slice(2) : ['.']
  const faults = folders.flatMap((folder) => faultsOfFolder(folder).map((fault) => `${join(folder, fault)}\n`))
  process.stderr.write(faults.join(''))
  process.exitCode = faults.length > 0 ? 1 : 0
}
