import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface GitAnswer {
  readonly exitCode: number
  readonly output: string
}

/** A clone with a work tree, driven with git's own commands: what the engine is held against. */
export interface PlainClone {
  readonly dir: string
  git(...args: string[]): GitAnswer
  write(path: string, text: string): void
  move(from: string, to: string): void
  /** `git add -A` and a commit; both must succeed. */
  commitAll(message: string): void
}

export interface PlainHub extends Disposable {
  readonly dir: string
  clone(agent: string): PlainClone
  /** Every path of its main branch. */
  paths(): string[]
}

/** A bare repository as `git init` makes it. */
export function makePlainHub(): PlainHub {
  const root = mkdtempSync(join(tmpdir(), 'countersign-plain-'))
  const dir = join(root, 'hub.git')
  mustRun(root, ['init', '-q', '--bare', '--initial-branch=main', dir])
  return {
    dir,
    clone(agent) {
      const clone = mkdtempSync(join(root, `${agent}-`))
      mustRun(root, ['clone', '-q', dir, clone])
      for (const [key, value] of [
        ['user.name', agent],
        ['user.email', `${agent}@x`],
      ] as const)
        mustRun(clone, ['config', key, value])
      return plainClone(clone)
    },
    paths: () => mustRun(dir, ['ls-tree', '-r', '--name-only', 'main']).split('\n').filter(Boolean),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

function plainClone(dir: string): PlainClone {
  return {
    dir,
    git: (...args) => run(dir, args),
    write(path, text) {
      mkdirSync(join(dir, dirname(path)), { recursive: true })
      writeFileSync(join(dir, path), text)
    },
    move(from, to) {
      mkdirSync(join(dir, dirname(to)), { recursive: true })
      renameSync(join(dir, from), join(dir, to))
    },
    commitAll(message) {
      mustRun(dir, ['add', '-A'])
      mustRun(dir, ['commit', '-q', '-m', message])
    },
  }
}

/** Nobody's settings, and one date for all: commits of one second are what the tests are about. */
export const PLAIN_ENV = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_DATE: '1795168800 +0000',
  GIT_COMMITTER_DATE: '1795168800 +0000',
}

function run(cwd: string, args: readonly string[]): GitAnswer {
  const done = spawnSync('git', args, { cwd, env: PLAIN_ENV, encoding: 'utf8' })
  return { exitCode: done.status ?? -1, output: `${done.stdout}${done.stderr}` }
}

function mustRun(cwd: string, args: readonly string[]): string {
  const { exitCode, output } = run(cwd, args)
  if (exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${output}`)
  return output
}
