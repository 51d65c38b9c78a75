import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { constants, deflateSync } from 'node:zlib'
import { signCommit, withSignature } from '#adapters/git/ssh-signature.ts'
import type { SshKeyPair } from '#core/openssh-key.ts'
import { smallCommits, type VaultFile, vaultFile } from './vault-content.ts'

export interface Shape {
  readonly files: number
  readonly commits: number
}

/** Below what the gate lets one commit change. */
const FILES_A_COMMIT = 4_000
const PACK_COMMIT = 1
const WHO = 'local <local@countersign.invalid>'

/**
 * Fills a bare repository's `main` with a history that the gate accepts: first the files, as few commits as may carry
 * them, then small commits up to the wanted number. Gives the head.
 */
export async function populate(gitDir: string, shape: Shape, key: SshKeyPair): Promise<string> {
  const importer = spawn('git', ['--git-dir', gitDir, 'fast-import', '--quiet'], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  const ended = once(importer, 'exit')
  let written = 0
  for (const files of commitsOf(shape)) await writeCommit(importer, files, written++)
  importer.stdin.end('done\n')
  const [code] = await ended
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`)
  const head = signAll(gitDir, key)
  git(gitDir, ['update-ref', 'refs/heads/main', head])
  git(gitDir, ['update-ref', '-d', 'refs/heads/unsigned'])
  return head
}

function* commitsOf({ files, commits }: Shape): Generator<VaultFile[]> {
  const filling = Math.ceil(files / FILES_A_COMMIT)
  if (filling > commits) throw new Error(`${files} files need at least ${filling} commits`)
  for (let commit = 0; commit < filling; commit++) {
    const from = commit * FILES_A_COMMIT
    yield Array.from({ length: Math.min(FILES_A_COMMIT, files - from) }, (_, index) => vaultFile(from + index))
  }
  const small = smallCommits(files)
  for (let commit = filling; commit < commits; commit++) yield small.next()
}

async function writeCommit(importer: ChildProcess, files: readonly VaultFile[], number: number): Promise<void> {
  const lines = files.map(({ path, text }) => `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`)
  const head = `commit refs/heads/unsigned\ncommitter ${WHO} ${timeOf(number)} +0000\n`
  const stream = importer.stdin as NonNullable<ChildProcess['stdin']>
  if (!stream.write(`${head}data 0\n${lines.join('')}\n`)) await once(stream, 'drain')
}

function timeOf(number: number): number {
  return Date.UTC(2026, 0, 1) / 1000 + number * 60
}

/** Writes the same commits again with signatures, as one pack: fast-import cannot sign. */
function signAll(gitDir: string, key: SshKeyPair): string {
  const trees = git(gitDir, ['log', '--reverse', '--format=%T', 'refs/heads/unsigned']).trim().split('\n')
  const packed: Buffer[] = []
  let parent: string | undefined
  for (const [number, tree] of trees.entries()) {
    const text = signedCommit(tree, parent, number, key)
    parent = createHash('sha1').update(`commit ${text.length}\0`).update(text).digest('hex')
    packed.push(packHeader(text.length), deflateSync(text, { level: constants.Z_BEST_SPEED }))
  }
  const count = Buffer.alloc(12)
  count.write('PACK')
  count.writeUInt32BE(2, 4)
  count.writeUInt32BE(trees.length, 8)
  const body = Buffer.concat([count, ...packed])
  const input = Buffer.concat([body, createHash('sha1').update(body).digest()])
  execFileSync('git', ['--git-dir', gitDir, 'index-pack', '--stdin'], { input, stdio: ['pipe', 'ignore', 'inherit'] })
  return parent as string
}

function signedCommit(tree: string, parent: string | undefined, number: number, key: SshKeyPair): Buffer {
  const who = `${WHO} ${timeOf(number)} +0000`
  const head = [`tree ${tree}`, ...(parent ? [`parent ${parent}`] : []), `author ${who}`, `committer ${who}`]
  const payload = Buffer.from(`${head.join('\n')}\n\nSync from local\n\nNonce: ${number}\n`)
  return withSignature(payload, signCommit(payload, key))
}

/** Type and size of a pack entry: four bits of size in the first byte, seven in each that follows. */
function packHeader(size: number): Buffer {
  const bytes = [(PACK_COMMIT << 4) | (size & 15)]
  for (let rest = size >> 4; rest > 0; rest >>= 7) {
    bytes[bytes.length - 1] = (bytes.at(-1) as number) | 128
    bytes.push(rest & 127)
  }
  return Buffer.from(bytes)
}

function git(gitDir: string, args: readonly string[]): string {
  return execFileSync('git', ['--git-dir', gitDir, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 })
}
