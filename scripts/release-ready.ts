import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The files that name the version which they are of, and how. */
const VERSIONS: Readonly<Record<string, RegExp>> = {
  'package-lock.json': /^ {2}(?: {4})?"version": "([^"]+)"/gm,
  Dockerfile: /org\.opencontainers\.image\.version=(\S+)/g,
  'compose.cloud.yml': /image: countersign\/\w+:(\S+)/g,
  'compose.local.yml': /image: countersign\/\w+:(\S+)/g,
  'deploy/bin/countersign': /\$\{COUNTERSIGN_VERSION:-([^}]+)\}/g,
  'deploy/cloud-init.yaml': /COUNTERSIGN_VERSION=v(\S+)/g,
}

/** Wherever else an image of ours is named, with its tag: in commands, manifests and documents. */
const IMAGES = /\bcountersign\/(?:cloud|local|browser|hub|backup):(\d[\w.-]*)|\bnewTag: *["']?(\d[\w.-]*)/g

/** Files that name another version than package.json does, or none where one has to be; in words. */
export async function otherVersions(root: string): Promise<string[]> {
  const version = await versionOf(root)
  const said = Object.entries(VERSIONS).map(async ([file, pattern]) => {
    const text = await readFile(join(root, file), 'utf8')
    // The lock file names its own twice, at its head; after that come the packages'.
    const head = file === 'package-lock.json' ? text.split('\n').slice(0, 12).join('\n') : text
    const found = [...head.matchAll(pattern)].map(([, one]) => one)
    if (found.length === 0) return [`${file} names no version`]
    return found.filter((one) => one !== version).map((one) => `${file} names version ${one}, package.json ${version}`)
  })
  const files = globSync(['compose*.yml', 'deploy/**/*.{yaml,yml,sh}', 'docs/*.md', 'README.md'], { cwd: root })
  const mentioned = files.sort().map(async (file) => {
    const found = [...(await readFile(join(root, file), 'utf8')).matchAll(IMAGES)].map(([, image, tag]) => image ?? tag)
    return found.filter((one) => one !== version).map((one) => `${file} names version ${one}, package.json ${version}`)
  })
  return [...new Set((await Promise.all([...said, ...mentioned])).flat())]
}

/** Why the commit that is checked out cannot be released, in words; empty when it can. */
export async function notReady(root: string): Promise<string[]> {
  const git = async (...args: string[]) => (await run('git', args, { cwd: root })).stdout.trimEnd()
  const version = await versionOf(root)
  const faults = await otherVersions(root)
  const changes = (await git('status', '--porcelain')).split('\n').filter(Boolean)
  if (changes.length > 0)
    faults.push(`${changes.length} files are changed or not committed, first ${changes[0]?.slice(3)}`)
  const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8')
  const [, ...sections] = changelog.split(/^## /m)
  const released = sections.filter((one) => !/^Unreleased\n/.test(one))
  const [, newest] = /^(\S+) - \d{4}-\d\d-\d\d\n/.exec(released[0] ?? '') ?? []
  if (newest !== version) {
    faults.push(
      `CHANGELOG.md has ${newest ?? 'no version'} at its head: it needs a line "## ${version} - <year-month-day>"`,
    )
  }
  if (sections.some((one) => /^Unreleased\n+\S/.test(one))) {
    faults.push(`CHANGELOG.md has entries under Unreleased: what is in ${version} belongs under its own heading`)
  }
  const [tagged, head] = [
    await git('rev-parse', '-q', '--verify', `v${version}^{commit}`).catch(() => ''),
    await git('rev-parse', 'HEAD'),
  ]
  if (tagged !== '' && tagged !== head)
    faults.push(`v${version} is released already, at ${tagged.slice(0, 12)}: raise the version`)
  return faults
}

async function versionOf(root: string): Promise<string> {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8')).version
}
