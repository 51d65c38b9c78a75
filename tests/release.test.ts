import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isPermitted, licenceText, licensed, PERMITTED, READ } from '../scripts/licences.ts'
import { idOf, LockFile } from '../scripts/packages.ts'
import { notReady, otherVersions } from '../scripts/release-ready.ts'
import { type Commit, type ImageLook, imageSbom, npmSbom } from '../scripts/sbom.ts'

const run = promisify(execFile)
const root = dirname(import.meta.dirname)
const commit: Commit = { version: '0.1.0', revision: 'a'.repeat(40), created: '2026-12-01T06:00:00Z' }

async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'release-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

describe('a release', () => {
  it('finds the same version in every file that names one', async () => {
    expect(await otherVersions(root)).toEqual([])
  })

  it('labels each image with its licence and source, and has a title of its own for each', async () => {
    const { repository, license } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    const stages = (await readFile(join(root, 'Dockerfile'), 'utf8')).split(/^FROM /m).slice(1)
    const byName = new Map(stages.map((text) => [/ AS (\S+)/.exec(text)?.[1] ?? '', text]))
    const labels = (name: string): Record<string, string> => {
      const text = byName.get(name) ?? ''
      const own = [...text.matchAll(/org\.opencontainers\.image\.(\w+)=(?:"([^"]*)"|(\S+))/g)]
      const parent = /^(\S+) AS /.exec(text)?.[1] ?? ''
      return {
        ...(byName.has(parent) ? labels(parent) : {}),
        ...Object.fromEntries(own.map(([, key, a, b]) => [key, a ?? b])),
      }
    }
    const images = ['cloud', 'local', 'browser', 'hub', 'backup'].map(labels)
    for (const one of images) {
      expect(one).toEqual({
        version: '0.1.0',
        licenses: license,
        source: repository,
        title: expect.any(String),
        description: expect.any(String),
      })
    }
    expect(new Set(images.map(({ title }) => title)).size).toBe(images.length)
  })

  const NAMING = ['package.json', 'package-lock.json', 'Dockerfile', 'compose.cloud.yml', 'compose.local.yml']
  /** A repository with the files that name a version, ready to be released. */
  async function ready() {
    const folder = await scratch()
    const files = [...NAMING, 'deploy/bin/countersign', 'deploy/cloud-init.yaml', 'docs/backup.md']
    for (const file of files) await cp(join(root, file), join(folder, file), { recursive: true })
    await writeFile(
      join(folder, 'CHANGELOG.md'),
      '# Changelog\n\n## Unreleased\n\n## 0.1.0 - 2026-12-01\n\n### Added\n\n- A.\n',
    )
    const git = async (...args: string[]) => {
      const author = ['-c', 'user.name=o', '-c', 'user.email=o@countersign.test', '-c', 'commit.gpgsign=false']
      return (await run('git', [...author, ...args], { cwd: folder })).stdout
    }
    const edit = async (file: string, from: string | RegExp, to: string) => {
      const text = await readFile(join(folder, file), 'utf8')
      expect(text).toMatch(from)
      await writeFile(join(folder, file), text.replace(from, to))
    }
    const keep = async () => {
      await git('add', '-A')
      await git('commit', '-qm', 'a change')
    }
    await git('init', '-q')
    await keep()
    return { folder, git, edit, keep }
  }

  it('is made of a commit whose files agree', async () => {
    const { folder, git } = await ready()
    expect(await notReady(folder)).toEqual([])
    await git('tag', '-a', 'v0.1.0', '-m', 'Countersign 0.1.0')
    expect(await notReady(folder)).toEqual([])
  })

  it.each<[file: string, from: string | RegExp, to: string, fault: RegExp]>([
    ['package-lock.json', '"version": "0.1.0"', '"version": "0.2.0"', /^package-lock\.json names version 0\.2\.0/],
    [
      'Dockerfile',
      'image.version=0.1.0',
      'image.version=0.0.9',
      /^Dockerfile names version 0\.0\.9, package\.json 0\.1\.0$/,
    ],
    [
      'compose.cloud.yml',
      'countersign/hub:0.1.0',
      'countersign/hub:latest',
      /^compose\.cloud\.yml names version latest/,
    ],
    [
      'compose.local.yml',
      /countersign\/(\w+):0\.1\.0/g,
      'elsewhere/$1:0.1.0',
      /^compose\.local\.yml names no version$/,
    ],
    ['deploy/cloud-init.yaml', 'VERSION=v0.1.0', 'VERSION=main', /^deploy\/cloud-init\.yaml names no version$/],
    [
      'docs/backup.md',
      'countersign/backup:0.1.0',
      'countersign/backup:0.0.9',
      /^docs\/backup\.md names version 0\.0\.9/,
    ],
    ['CHANGELOG.md', '## 0.1.0', '## 0.0.9', /^CHANGELOG\.md has 0\.0\.9 at its head/],
    ['CHANGELOG.md', '2026-12-01', 'soon', /^CHANGELOG\.md has no version at its head/],
    [
      'CHANGELOG.md',
      '## Unreleased\n',
      '## Unreleased\n\n### Added\n\n- B.\n',
      /^CHANGELOG\.md has entries under Unreleased/,
    ],
  ])('is not made when %s says otherwise', async (file, from, to, fault) => {
    const { folder, edit, keep } = await ready()
    await edit(file, from, to)
    await keep()
    expect(await notReady(folder)).toEqual([expect.stringMatching(fault)])
  })

  it('is not made of what is not committed, nor twice under one name', async () => {
    const { folder, git, edit, keep } = await ready()
    await git('tag', 'v0.1.0')
    await writeFile(join(folder, 'left-over.txt'), '')
    expect(await notReady(folder)).toEqual(['1 files are changed or not committed, first left-over.txt'])
    await edit('deploy/bin/countersign', '#!/bin/sh', '#!/bin/bash')
    expect(await notReady(folder)).toEqual(['2 files are changed or not committed, first deploy/bin/countersign'])
    await keep()
    expect(await notReady(folder)).toEqual([expect.stringMatching(/^v0\.1\.0 is released already, at \w{12}: raise/)])
    await edit('package.json', '"version": "0.1.0"', '"version": "0.2.0"')
    expect((await notReady(folder)).length).toBeGreaterThan(5)
  })
})

describe('the licence of a package', () => {
  it.each([
    ['MIT', true],
    ['(MIT OR EUPL-1.1+)', true],
    ['GPL-3.0-only OR MIT', true],
    ['MIT AND ISC', true],
    ['MIT AND GPL-3.0-only', false],
    ['GPL-3.0-only', false],
    ['MIT OR GPL-3.0-only AND ISC', false],
    ['(MIT OR ISC) AND GPL-3.0-only', false],
    ['SEE LICENSE IN LICENSE.md', false],
    ['UNLICENSED', false],
    ['none', false],
    ['toString', false],
    ['', false],
  ])('%s: permitted is %s', (expression, permitted) => {
    expect(isPermitted(expression)).toBe(permitted)
  })

  const production = () => licensed(new LockFile(root).production(), { root, bundled: false })

  it('is permitted for everything that the programs may need, and each rule has a package that needs it', () => {
    const found = production()
    const used = found.flatMap(({ licence }) => licence.replace(/[()]/g, '').split(/ OR | AND /))
    expect(Object.keys(PERMITTED).filter((one) => !used.includes(one))).toEqual([])
    expect(Object.keys(READ).filter((id) => !found.some((one) => idOf(one) === id))).toEqual([])
  })

  it('goes with the code: each package is named, and the texts which it brings are there', () => {
    const found = production()
    const text = licenceText(found)
    for (const one of found) expect(text).toContain(`\n${idOf(one)} (${one.licence})\n`)
    expect(text).toContain('GNU LESSER GENERAL PUBLIC LICENSE')
    const withoutText = new Set(found.filter(({ texts }) => texts.length === 0).map(idOf))
    expect(withoutText.size).toBeLessThan(15)
  })

  async function planted(license: unknown, name = 'planted') {
    const folder = await scratch()
    const place = `node_modules/${name}`
    await mkdir(join(folder, place), { recursive: true })
    await writeFile(join(folder, place, 'package.json'), JSON.stringify({ name, license }))
    return { root: folder, packages: [{ place, name, version: '3.2.1' }] }
  }

  it.each(['GPL-3.0-only', undefined, { type: 'MIT' }])('stops a release when it is %j', async (license) => {
    const { root, packages } = await planted(license)
    expect(() => licensed(packages, { root, bundled: false })).toThrow('planted@3.2.1 (node_modules/planted)')
  })

  it('stops a bundle of what may only be passed on whole', async () => {
    const { root, packages } = await planted('LGPL-3.0-or-later', 'node-webpmux')
    expect(licensed(packages, { root, bundled: false })).toMatchObject([{ licence: 'LGPL-3.0-or-later' }])
    expect(() => licensed(packages, { root, bundled: true })).toThrow(
      'does not permit in a bundle:\nnode-webpmux@3.2.1',
    )
  })
})

describe('the list of what a release holds', () => {
  it('has each package of the lock file that the programs may need, with its digest, and no other', async () => {
    const { components, metadata, serialNumber, ...rest } = await npmSbom(root, commit)
    const expected = new Set(new LockFile(root).production().map(idOf))
    expect(components.map((one) => one['bom-ref']).sort()).toEqual([...expected].sort())
    // npm's own way to leave out development leaves out this one, which both need.
    expect(expected).toContain('commander@14.0.3')
    for (const one of components)
      expect(one).toMatchObject({ hashes: [{ alg: 'SHA-512' }], purl: expect.stringMatching(/^pkg:npm\//) })
    expect(rest).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5' })
    expect(metadata).toMatchObject({ timestamp: commit.created, component: { name: 'countersign', version: '0.1.0' } })
    expect(serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('is the same each time for the same commit, and another for another', async () => {
    const first = await npmSbom(root, commit)
    expect(await npmSbom(root, commit)).toEqual(first)
    expect((await npmSbom(root, { ...commit, revision: 'b'.repeat(40) })).serialNumber).not.toBe(first.serialNumber)
  })

  const look: ImageLook = {
    os: { id: 'debian', version: '12' },
    node: '24.21.0',
    debian: [{ name: 'libstdc++6', version: '1:12.2.0-14+deb12u1', arch: 'amd64' }],
    sources: [
      'core/errors.ts',
      'node_modules/zod/v4/index.js',
      'node_modules/zod/v4/core.js',
      'node_modules/@fastify/error/index.js',
    ],
    whole: [{ name: '@bull-board/ui', version: '9.10.1' }],
  }
  const version = (place: string) => new LockFile(root).at(`node_modules/${place}`).version

  it('has an image’s system, Debian’s packages, Node, and npm’s packages, bundled or whole', () => {
    const { components, metadata } = imageSbom('cloud', look, { root, commit })
    expect(components.map(({ purl, name }) => purl ?? name)).toEqual([
      'debian',
      'pkg:deb/debian/libstdc%2B%2B6@1%3A12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12',
      'pkg:generic/node@24.21.0',
      `pkg:npm/%40bull-board/ui@${version('@bull-board/ui')}`,
      `pkg:npm/%40fastify/error@${version('@fastify/error')}`,
      `pkg:npm/zod@${version('zod')}`,
    ])
    expect(metadata).toMatchObject({ component: { type: 'container', name: 'countersign/cloud', version: '0.1.0' } })
  })

  it('is refused when an image holds a package that the lock file does not have', () => {
    const strange = { ...look, whole: [{ name: 'left-pad', version: '1.3.0' }] }
    expect(() => imageSbom('cloud', strange, { root, commit })).toThrow('the image cloud holds left-pad@1.3.0')
  })
})
