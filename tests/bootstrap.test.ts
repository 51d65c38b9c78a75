import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const repository = dirname(import.meta.dirname)
let clone: string
let children: ChildProcess[]

beforeEach(() => {
  children = []
  clone = mkdtempSync(join(tmpdir(), 'clone-'))
  for (const folder of ['scripts', 'cli', 'path']) mkdirSync(join(clone, folder))
  for (const script of ['bootstrap.mjs', 'lock-policy.mjs'])
    copyFileSync(join(repository, 'scripts', script), join(clone, 'scripts', script))
  writeFileSync(join(clone, 'package.json'), '{"type":"module"}')
  lock({ 'node_modules/left-pad': LEFT_PAD })
  writeFileSync(join(clone, 'cli/main.ts'), 'console.log("ran", ...process.argv.slice(2) as string[])')
  // Stands for npm: notes its arguments and makes the folder that an installation makes.
  program('path/npm', '[ -z "$NPM_FAILS" ] || exit 7; echo "$@" >>npm-calls; mkdir -p node_modules/.bin')
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(clone, { recursive: true })
})

const packageOf = (name: string) => ({
  version: '1.0.0',
  resolved: `https://registry.npmjs.org/${name}/-/${name}-1.0.0.tgz`,
  integrity: `sha512-${'A'.repeat(86)}==`,
})
const LEFT_PAD = packageOf('left-pad')

function lock(packages: Record<string, object>): void {
  const text = JSON.stringify({ lockfileVersion: 3, packages: { '': {}, ...packages } })
  writeFileSync(join(clone, 'package-lock.json'), text)
}

function program(path: string, script: string): void {
  writeFileSync(join(clone, path), `#!/bin/sh\ncd "${clone}"\n${script}\n`)
  chmodSync(join(clone, path), 0o755)
}

function start(args: readonly string[], env: Record<string, string> = {}, nodeArgs: readonly string[] = []) {
  const child = spawn(process.execPath, [...nodeArgs, join(clone, 'scripts/bootstrap.mjs'), ...args], {
    env: { PATH: `${join(clone, 'path')}:${process.env.PATH}`, ...env },
  })
  children.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk
    })
  }
  return { child, output: () => output, exit: once(child, 'close').then(([code]) => code as number) }
}

async function run(...parameters: Parameters<typeof start>) {
  const { exit, output } = start(...parameters)
  return { code: await exit, output: output() }
}

const npmCalls = () =>
  existsSync(join(clone, 'npm-calls')) ? readFileSync(join(clone, 'npm-calls'), 'utf8').trim().split('\n').length : 0

describe('a fresh clone', () => {
  it('installs once, then again only when the lock file changed', async () => {
    expect(await run(['demo', '--json'])).toMatchObject({ code: 0, output: expect.stringContaining('ran demo --json') })
    expect(npmCalls()).toBe(1)
    expect(readFileSync(join(clone, 'npm-calls'), 'utf8')).toMatch(
      /^ci --include=dev --include=optional --ignore-scripts /,
    )
    expect((await run(['demo'])).output).toBe('ran demo\n')
    expect(npmCalls()).toBe(1)
    lock({ 'node_modules/left-pad': LEFT_PAD, 'node_modules/other': packageOf('other') })
    await run(['start'])
    expect(npmCalls()).toBe(2)
  })

  it('takes an installation that somebody made with npm for complete', async () => {
    mkdirSync(join(clone, 'node_modules'))
    writeFileSync(join(clone, 'node_modules/.package-lock.json'), '{}')
    expect(await run(['demo'])).toEqual({ code: 0, output: 'ran demo\n' })
    expect(npmCalls()).toBe(0)
  })

  it('takes one that was broken off for none', async () => {
    mkdirSync(join(clone, 'node_modules'))
    await run(['demo'])
    expect(npmCalls()).toBe(1)
  })

  it('installs nothing when one package of the lock file may not be', async () => {
    lock({ 'node_modules/left-pad': { ...LEFT_PAD, hasInstallScript: true } })
    expect(await run(['demo'])).toMatchObject({
      code: 1,
      output: expect.stringMatching(/left-pad@1\.0\.0 \(node_modules\/left-pad\) has an install script/),
    })
    expect(npmCalls()).toBe(0)
  })

  it('says what to do when npm fails, and tries again next time', async () => {
    expect(await run(['demo'], { NPM_FAILS: '1' })).toMatchObject({
      code: 7,
      output: expect.stringMatching(/npm failed.*network/),
    })
    expect((await run(['demo'])).code).toBe(0)
  })
})

describe('the Node that runs the program', () => {
  const oldNode = [
    '--import',
    'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.11.0"}})',
  ]
  it('is the pinned one when this one is too old', async () => {
    mkdirSync(join(clone, 'node_modules/.bin'), { recursive: true })
    program('node_modules/.bin/node', '[ "$1" = --version ] || echo "pinned $2"')
    expect(await run(['demo'], {}, oldNode)).toMatchObject({
      code: 0,
      output: expect.stringContaining('pinned demo\n'),
    })
  })

  it('is the pinned one also where npm made no link to it, for everything that looks there', async () => {
    const folder = `node_modules/node-${process.platform}-${process.arch}/bin`
    mkdirSync(join(clone, 'node_modules/.bin'), { recursive: true })
    mkdirSync(join(clone, folder), { recursive: true })
    program(`${folder}/node`, '[ "$1" = --version ] || echo "pinned $2"')
    symlinkSync('../node-of-another-machine/bin/node', join(clone, 'node_modules/.bin/node'))
    const started = await run(['demo'], {}, oldNode)
    expect(started).toMatchObject({ code: 0, output: expect.stringContaining('pinned demo\n') })
    expect(readlinkSync(join(clone, 'node_modules/.bin/node'))).toBe(
      `../node-${process.platform}-${process.arch}/bin/node`,
    )
    expect((await run(['demo'], {}, oldNode)).output).toBe('pinned demo\n')
  })

  it('is missing with an explanation when npm brought none', async () => {
    expect(await run(['demo'], {}, oldNode)).toMatchObject({
      code: 1,
      output: expect.stringMatching(/needs Node 24\.12[\s\S]*Linux on x64 and arm64[\s\S]*nodejs\.org/),
    })
  })
})

describe('the program', () => {
  it('hands its exit code on', async () => {
    writeFileSync(join(clone, 'cli/main.ts'), 'process.exitCode = 42')
    expect((await run(['demo'])).code).toBe(42)
  })

  it('gets a signal once, although the terminal and npm both send it', async () => {
    writeFileSync(
      join(clone, 'cli/main.ts'),
      `let signals = 0
       process.on('SIGINT', () => {
         console.log('signal', ++signals)
         if (signals === 1) setTimeout(() => process.exit(10 + signals), 300)
       })
       setInterval(() => {}, 1000)
       console.log('up')`,
    )
    const { child, exit, output } = start(['demo'])
    await vi.waitFor(() => expect(output()).toContain('up'), { timeout: 10_000, interval: 5 })
    child.kill('SIGINT')
    // Only now: two pending signals of one kind are one.
    await vi.waitFor(() => expect(output()).toContain('signal 1'), { timeout: 10_000, interval: 5 })
    child.kill('SIGINT')
    expect(await exit).toBe(11)
  })

  it('is one of those that it names', async () => {
    expect(await run(['destroy'])).toMatchObject({
      code: 2,
      output: expect.stringContaining(
        '<demo|start|test|generate|release|bench:story|bench:sync|bench:claims|bench:drafting|bench:scale|bench:faults|bench:pictures|bench:execution>',
      ),
    })
  })
})

describe('bin/countersign', () => {
  it('finds its program through links from anywhere', async () => {
    mkdirSync(join(clone, 'bin'))
    copyFileSync(join(repository, 'bin/countersign'), join(clone, 'bin/countersign'))
    symlinkSync('../bin/countersign', join(clone, 'path/relative'))
    symlinkSync(join(clone, 'path/relative'), join(clone, 'path/absolute'))
    const child = spawn(join(clone, 'path/absolute'), ['status', '--json'], {
      cwd: tmpdir(),
      env: { PATH: `${dirname(process.execPath)}:${process.env.PATH}` },
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk
    })
    expect(await once(child, 'close')).toEqual([0, null])
    expect(output).toBe('ran status --json\n')
  })
})
