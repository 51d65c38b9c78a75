import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { Oid } from '#core/ports/repo.ts'
import type { Zones } from './git-zones.ts'

/** What a file is in a hostile tree: bytes (mode 100644), or any mode with any object. */
export type HostileFile =
  | string
  | Uint8Array
  | { readonly mode: string; readonly content?: string; readonly oid?: string }

export interface HostileCommit {
  readonly parents: readonly Oid[]
  /** Changes to the first parent's tree; null removes. Keys are paths, byte for byte in latin1 (`\xff` is one byte). */
  readonly files: Readonly<Record<string, HostileFile | null>>
  /** Whose key signs; null: unsigned. A path: another private key. */
  readonly signer: string | null
  readonly author?: string
  readonly message?: string
}

type Entry = { mode: string; oid: string }

/** Whoever holds an agent's keys and a git of their own without any of our limits: writes any tree, pushes any ref. */
export class Attacker {
  readonly dir: string
  readonly zones: Zones
  readonly hub: string

  constructor(zones: Zones, hub: string) {
    this.zones = zones
    this.hub = hub
    this.dir = join(mkdtempSync(join(zones.root, 'attacker-')), 'repo.git')
    this.git(['init', '-q', '--bare', this.dir])
    this.git(['fetch', '-q', hub, '+refs/heads/*:refs/hub/*'])
  }

  head(): Oid {
    return this.git(['rev-parse', 'refs/hub/main']) as Oid
  }

  commit({ parents, files, signer, author = 'someone', message = 'attack' }: HostileCommit): Oid {
    const tree = this.tree(parents[0], files)
    const key =
      signer !== null && this.zones.agents.some((one) => one.name === signer)
        ? join(this.zones.home(signer), 'keys', 'signing')
        : signer
    const sign = key === null ? [] : ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${key}`]
    const args = [
      'commit-tree',
      ...(key === null ? [] : ['-S']),
      ...parents.flatMap((one) => ['-p', one]),
      '-m',
      message,
      tree,
    ]
    return this.git([...sign, '-c', `user.name=${author}`, '-c', `user.email=${author}@x`, ...args]) as Oid
  }

  /** git's exit code and whatever the hub said. */
  push(...refs: string[]): { exitCode: number; output: string } {
    const done = spawnSync('git', ['push', '--porcelain', this.hub, ...refs], { env: this.env(), encoding: 'utf8' })
    return { exitCode: done.status ?? -1, output: `${done.stdout}${done.stderr}` }
  }

  git(args: readonly string[], input: string | Buffer = ''): string {
    const done = spawnSync('git', args, { env: this.env(), input, encoding: 'utf8', maxBuffer: 1 << 28 })
    if (done.status !== 0) throw new Error(`git ${args.join(' ')}: ${done.stderr}`)
    return done.stdout.trim()
  }

  blob(content: string | Uint8Array): string {
    return this.git(['hash-object', '-w', '--stdin'], Buffer.from(content))
  }

  private tree(parent: Oid | undefined, files: HostileCommit['files']): string {
    const flat = new Map<string, Entry>()
    if (parent !== undefined)
      for (const line of this.git(['ls-tree', '-r', '-z', parent]).split('\0').filter(Boolean)) {
        const [, mode = '', oid = '', path = ''] = /^(\d+) \w+ (\w+)\t(.*)$/.exec(line) ?? []
        flat.set(path, { mode, oid })
      }
    for (const [path, file] of Object.entries(files)) {
      if (file === null) flat.delete(path)
      else if (typeof file === 'string' || file instanceof Uint8Array)
        flat.set(path, { mode: '100644', oid: this.blob(file) })
      else flat.set(path, { mode: file.mode, oid: file.oid ?? this.blob(file.content ?? '') })
    }
    return this.writeTree([...flat])
  }

  /** Raw tree objects: git's own commands would refuse the names that the tests need. */
  private writeTree(files: readonly (readonly [string, Entry])[]): string {
    const entries = new Map<string, Entry>()
    const folders = Map.groupBy(
      files.filter(([path]) => path.includes('/')),
      ([path]) => path.slice(0, path.indexOf('/')),
    )
    for (const [path, entry] of files) if (!path.includes('/')) entries.set(path, entry)
    for (const [name, inside] of folders) {
      const oid = this.writeTree(inside.map(([path, entry]) => [path.slice(name.length + 1), entry] as const))
      entries.set(name, { mode: '40000', oid })
    }
    const order = (name: string, { mode }: Entry) => Buffer.from(mode === '40000' ? `${name}/` : name, 'latin1')
    const sorted = [...entries].toSorted(([a, one], [b, two]) => Buffer.compare(order(a, one), order(b, two)))
    const bytes = sorted.map(([name, { mode, oid }]) =>
      Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name, 'latin1'), Buffer.from([0]), Buffer.from(oid, 'hex')]),
    )
    return this.git(['hash-object', '-t', 'tree', '-w', '--stdin', '--literally'], Buffer.concat(bytes))
  }

  private env(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      HOME: this.dir,
      LC_ALL: 'C',
      GIT_DIR: this.dir,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
    }
  }
}
