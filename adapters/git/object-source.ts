import type { Oid } from '#core/ports/repo.ts'
import { type CatFile, unreadable } from './cat-file.ts'
import type { LooseObjects, ObjectType } from './loose-objects.ts'

/** Reads objects wherever they lie: loose ones as files, packed ones through git. */
export interface ObjectSource {
  /** Throws ERR_GIT_FAILED when it is absent, of another type, over `maxBytes` or damaged. */
  read(oid: Oid, type: ObjectType, maxBytes: number): Promise<Buffer>
  /** Type and size by id; absent ones are left out. */
  sizes(oids: readonly Oid[]): Promise<Map<Oid, ObjectSize>>
}

export interface ObjectSize {
  readonly type: string
  readonly size: number
}

export function objectSource(
  packed: Pick<CatFile, 'read' | 'size'>,
  loose: Pick<LooseObjects, 'read' | 'size'>,
): ObjectSource {
  return {
    async read(oid, type, maxBytes) {
      const found = (await loose.read(oid, maxBytes)) ?? (await packed.read(oid, maxBytes))
      if (found.type !== type) throw unreadable(oid, `it is a ${found.type}`)
      return found.bytes
    },
    async sizes(oids) {
      const unique = [...new Set(oids)]
      const found = await Promise.all(unique.map(async (oid) => (await loose.size(oid)) ?? packed.size(oid)))
      return new Map(unique.flatMap((oid, at) => (found[at] ? [[oid, found[at]] as const] : [])))
    },
  }
}
