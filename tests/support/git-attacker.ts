import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { signCommit, withSignature } from '#adapters/git/ssh-signature.ts'
import { parseOpenSshKey, type SshKeyPair } from '#core/openssh-key.ts'
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
  /** Seconds since the epoch; default: now. */
  readonly date?: number
  /** Instead of the tree that the files make. */
  readonly tree?: string
}

type Entry = { mode: string; oid: string }
type Files = ReadonlyMap<string, Entry>

/**
 * Whoever holds an agent's keys and none of our limits: writes any object, pushes any ref, and is a hub that refuses
 * nothing (`dir`). Objects are written here and not by git, which would refuse what the tests need.
 */
export class Attacker {
  readonly dir: string
  readonly zones: Zones
  readonly hub: string
  private readonly filesOf = new Map<string, Files>()
  private readonly keys = new Map<string, SshKeyPair>()

  constructor(zones: Zones, hub: string) {
    this.zones = zones
    this.hub = hub
    this.dir = join(mkdtempSync(join(zones.root, 'attacker-')), 'repo.git')
    this.git(['init', '-q', '--bare', '--initial-branch=main', this.dir])
    this.git(['fetch', '-q', hub, '+refs/heads/*:refs/hub/*'])
  }

  head(): Oid {
    return this.git(['rev-parse', 'refs/hub/main']) as Oid
  }

  commit({ parents, files, signer, author = 'someone', message = 'attack', ...odd }: HostileCommit): Oid {
    const tree = this.changed(parents[0], files)
    const who = `${author} <${author}@x> ${odd.date ?? Math.trunc(Date.now() / 1000)} +0000`
    const lines = [
      `tree ${odd.tree ?? this.writeTree([...tree])}`,
      ...parents.map((parent) => `parent ${parent}`),
      `author ${who}`,
      `committer ${who}`,
    ]
    const payload = Buffer.from(`${lines.join('\n')}\n\n${message}\n`)
    const commit = signer === null ? payload : withSignature(payload, signCommit(payload, this.keyOf(signer)))
    const oid = this.object('commit', commit)
    this.filesOf.set(oid, tree)
    return oid
  }

  /** With the cloud's deploy key. git's exit code and whatever the hub said. */
  push(...refs: string[]): { exitCode: number; output: string } {
    const env = { ...this.env(), COUNTERSIGN_HUB_AGENT: 'cloud' }
    const done = spawnSync('git', ['push', '--porcelain', this.hub, ...refs], { env, encoding: 'utf8' })
    return { exitCode: done.status ?? -1, output: `${done.stdout}${done.stderr}` }
  }

  /** What whoever fetches from `dir` gets as main. */
  serve(commit: Oid): void {
    writeFileSync(join(this.dir, 'refs', 'heads', 'main'), `${commit}\n`)
  }

  git(args: readonly string[]): string {
    const done = spawnSync('git', args, { env: this.env(), encoding: 'utf8', maxBuffer: 1 << 28 })
    if (done.status !== 0) throw new Error(`git ${args.join(' ')}: ${done.stderr}`)
    return done.stdout.trim()
  }

  object(type: string, bytes: Uint8Array): Oid {
    const whole = Buffer.concat([Buffer.from(`${type} ${bytes.length}\0`), bytes])
    const oid = createHash('sha1').update(whole).digest('hex') as Oid
    const path = join(this.dir, 'objects', oid.slice(0, 2), oid.slice(2))
    if (existsSync(path)) return oid
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, deflateSync(whole))
    return oid
  }

  blob(content: string | Uint8Array): string {
    return this.object('blob', Buffer.from(content as Uint8Array))
  }

  private keyOf(signer: string): SshKeyPair {
    const isAgent = this.zones.agents.some((one) => one.name === signer)
    const file = isAgent ? join(this.zones.home(signer), 'keys', 'signing') : signer
    const key = this.keys.get(file) ?? parseOpenSshKey(readFileSync(file, 'utf8'))
    if ('problem' in key) throw new Error(`${file} ${key.problem}`)
    this.keys.set(file, key)
    return key
  }

  private changed(parent: Oid | undefined, files: HostileCommit['files']): Files {
    const flat = new Map(parent === undefined ? [] : this.filesIn(parent))
    for (const [path, file] of Object.entries(files)) {
      if (file === null) flat.delete(path)
      else if (typeof file === 'string' || file instanceof Uint8Array)
        flat.set(path, { mode: '100644', oid: this.blob(file) })
      else flat.set(path, { mode: file.mode, oid: file.oid ?? this.blob(file.content ?? '') })
    }
    return flat
  }

  private filesIn(commit: Oid): Files {
    const known = this.filesOf.get(commit)
    if (known) return known
    const lines = this.git(['ls-tree', '-r', '-z', commit]).split('\0').filter(Boolean)
    const files = new Map(
      lines.map((line) => {
        const [, mode = '', oid = '', path = ''] = /^(\d+) \w+ (\w+)\t(.*)$/.exec(line) ?? []
        return [path, { mode, oid }] as const
      }),
    )
    this.filesOf.set(commit, files)
    return files
  }

  /** Any names, any modes; `name` of an entry is whatever stands before the first slash. */
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
    return this.tree([...entries].map(([name, entry]) => ({ name, ...entry })))
  }

  /** A tree object of just these entries, in git's order. */
  tree(entries: readonly (Entry & { readonly name: string })[], isSorted = true): string {
    const order = ({ name, mode }: Entry & { name: string }) =>
      Buffer.from(mode === '40000' ? `${name}/` : name, 'latin1')
    const sorted = isSorted ? entries.toSorted((a, b) => Buffer.compare(order(a), order(b))) : entries
    const bytes = sorted.map(({ name, mode, oid }) =>
      Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name, 'latin1'), Buffer.from([0]), Buffer.from(oid, 'hex')]),
    )
    return this.object('tree', Buffer.concat(bytes))
  }

  /** The entries of a commit's root folder. */
  rootOf(commit: Oid): (Entry & { name: string })[] {
    const lines = this.git(['ls-tree', '-z', commit]).split('\0').filter(Boolean)
    return lines.map((line) => {
      const [, mode = '', oid = '', name = ''] = /^(\d+) \w+ (\w+)\t(.*)$/.exec(line) ?? []
      return { name, mode: mode.replace(/^0/, ''), oid }
    })
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
