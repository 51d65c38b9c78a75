import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Told, ToldMemory } from '#core/ports/notifier.ts'

const NAME = 'notified.json'

/** What the person was told of, in the zone's state: written whole, 0600. */
export function toldFile(stateDir: string): ToldMemory {
  const file = join(stateDir, NAME)
  return {
    async load() {
      try {
        const read = JSON.parse(await readFile(file, 'utf8')) as Record<string, Told>
        return Object.fromEntries(Object.entries(read).filter(([, told]) => isTold(told)))
      } catch {
        return {}
      }
    },
    async save(told) {
      const temporary = join(stateDir, `.${NAME}.tmp`)
      await writeFile(temporary, JSON.stringify(told), { mode: 0o600 })
      await rename(temporary, file)
    },
  }
}

function isTold(value: unknown): value is Told {
  const { lastAt, keys } = (value ?? {}) as Partial<Told>
  return (
    Number.isFinite(lastAt) && typeof keys === 'object' && keys !== null && Object.values(keys).every(Number.isFinite)
  )
}
