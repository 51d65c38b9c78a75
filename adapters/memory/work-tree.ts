import { CountersignError } from '#core/errors.ts'
import { type FileIdentity, sameIdentity } from '#core/file-identity.ts'
import type { ChangeOutcome, Oddity, Sight, WorkTreePort } from '#core/ports/work-tree.ts'
import { parseVaultPath, type VaultPath } from '#core/vault-path.ts'

interface MemoryFile {
  readonly bytes: Uint8Array
  readonly identity: FileIdentity
}

/** A vault folder in memory, with the hands of the other programs that write in it. */
export interface MemoryWorkTree extends WorkTreePort {
  /** Called after each change at a path, as a watcher would. */
  onTouch: (path: string) => void
  put(path: string, content: string | Uint8Array): void
  /** A rename; replaces nothing, false when `from` is gone or `to` is taken. */
  rename(from: string, to: string): boolean
  drop(path: string): void
  text(path: string): string | undefined
  files(): Map<string, string>
  /** Everything vanishes, as when a volume is not mounted. */
  clear(): void
}

/** `now` gives the modification times, ms. */
export function memoryWorkTree(now: () => number): MemoryWorkTree {
  const files = new Map<string, MemoryFile>()
  let serial = 0
  const put = (path: string, content: string | Uint8Array) => {
    serial += 1
    const bytes = Buffer.from(content)
    const stamp = `${Math.trunc(now())}000000`
    files.set(path, {
      bytes,
      // As on a real disk, times alone do not tell two versions of one instant apart; the inode does.
      identity: { ino: String(serial), size: bytes.length, mtimeNs: stamp, ctimeNs: stamp },
    })
    self.onTouch(path)
  }
  const rename = (from: string, to: string) => {
    const file = files.get(from)
    if (!file || files.has(to)) return false
    files.delete(from)
    files.set(to, file)
    self.onTouch(from)
    self.onTouch(to)
    return true
  }
  const look = (path: string): Sight => {
    const file = files.get(path)
    if (!file) return { kind: 'gone' }
    const verdict = parseVaultPath(path)
    return verdict.ok
      ? { kind: 'file', path: verdict.path, identity: file.identity }
      : { kind: 'odd', rule: verdict.rule }
  }
  const drop = (path: string) => {
    files.delete(path)
    self.onTouch(path)
  }
  const isExpected = (path: string, expected: FileIdentity | null) =>
    expected === null ? !files.has(path) : sameIdentity(files.get(path)?.identity, expected)
  const done = (path: string): ChangeOutcome => ({ kind: 'done', identity: files.get(path)?.identity as FileIdentity })
  const self: MemoryWorkTree = {
    onTouch: () => {},
    async *list() {
      for (const folder of new Set([...files.keys()].map(folderPart))) {
        const listed = new Map<VaultPath, FileIdentity>()
        const oddities: Oddity[] = []
        for (const path of [...files.keys()].filter((one) => folderPart(one) === folder)) {
          const sight = look(path)
          if (sight.kind === 'file') listed.set(sight.path, sight.identity)
          else if (sight.kind === 'odd') oddities.push({ path, rule: sight.rule })
        }
        yield { folder, files: listed, oddities }
      }
    },
    folders: async () => [...new Set([...files.keys()].map(folderPart))],
    look: async (path) => look(path),
    async read(path, maxBytes) {
      const file = files.get(path)
      if (file && file.bytes.length > maxBytes)
        throw new CountersignError('ERR_VAULT_UNREADABLE', `cannot read ${path} in the vault: over ${maxBytes} bytes`)
      return file
    },
    async write(path, bytes, expected) {
      if (!isExpected(path, expected)) return { kind: 'changed' }
      put(path, bytes)
      return done(path)
    },
    async move(from, to, expected) {
      return isExpected(from, expected) && rename(from, to) ? done(to) : { kind: 'changed' }
    },
    async remove(path, expected) {
      if (!isExpected(path, expected)) return { kind: 'changed' }
      drop(path)
      return { kind: 'done' }
    },
    async respell(from, to) {
      return rename(from, to) ? done(to) : { kind: 'changed' }
    },
    put,
    rename,
    drop,
    text: (path) => files.get(path) && Buffer.from(files.get(path)?.bytes ?? []).toString('utf8'),
    files: () => new Map([...files].map(([path, { bytes }]) => [path, Buffer.from(bytes).toString('utf8')])),
    clear: () => {
      for (const path of [...files.keys()]) drop(path)
    },
  }
  return self
}

function folderPart(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}
