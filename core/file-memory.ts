import type { VaultPort } from './ports/vault.ts'
import type { VaultPath } from './vault-path.ts'

/** What each file said, by its stamp. `T` is what one reader makes of a text; undefined: absent or not a plain file. */
export function fileMemory(vault: Pick<VaultPort, 'read' | 'stamp'>) {
  let known = new Map<VaultPath, { stamp: string | undefined; value: unknown }>()
  let seen: typeof known = new Map()
  const readFile = async <T>(path: VaultPath, read: (text: string | undefined) => T, maxBytes?: number): Promise<T> => {
    // Before the reading: bytes that come between the two are read again next time.
    const stamp = await vault.stamp(path)
    const before = known.get(path)
    const isSame = before !== undefined && stamp !== undefined && before.stamp === stamp
    if (isSame) {
      seen.set(path, before)
      return before.value as T
    }
    const text = await vault.read(path, maxBytes).catch(() => null)
    const value = read(text ?? undefined)
    // What could not be read may be readable a moment later.
    if (text !== null) seen.set(path, { stamp, value })
    return value
  }
  const forgetOthers = () => {
    known = seen
    seen = new Map()
  }
  return Object.assign(readFile, { forgetOthers })
}
