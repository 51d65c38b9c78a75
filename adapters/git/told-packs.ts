import type { Oid } from '#core/ports/repo.ts'
import type { RunGit } from './run-git.ts'

/** What the hub sent without being asked: everything that its head `to` has and `from` had not, as a thin pack. */
export interface ToldPack {
  readonly from: Oid
  readonly to: Oid
  readonly bytes: Uint8Array
}

export interface ToldPacks {
  note(pack: ToldPack): void
  /** The hub's head, told with what it brought or without. */
  noteHead(head: Oid | null): void
  /** The line is gone: what was told may be out of date by now. */
  forget(): void
  /**
   * Brings the packs into the clone that lead from `known` to the head last told, checked as a fetch checks what it
   * receives. Gives that head; undefined when there is no such way, or anything is wrong with it: then the hub is to be
   * asked. Either way the packs are gone.
   */
  take(known: Oid | null): Promise<Oid | undefined>
}

/** While rounds fail, no more than this is kept; who missed some asks the hub. */
const MAX_BYTES = 4 * 1024 * 1024
/** As git's own fetch calls it with this clone's configuration (`fetch.fsck.badFilemode`). */
const INDEX_PACK = ['index-pack', '--stdin', '--fix-thin', '--strict=badFilemode=error']

export function toldPacks(run: RunGit): ToldPacks {
  let packs: ToldPack[] = []
  let head: Oid | null | undefined
  const forget = () => {
    packs = []
    head = undefined
  }
  const accepts = async (args: readonly string[], input?: Uint8Array) =>
    (await run(args, { accept: 'any', ...(input && { input }) })).exitCode === 0
  return {
    note(pack) {
      packs.push(pack)
      if (packs.reduce((sum, one) => sum + one.bytes.length, 0) > MAX_BYTES) packs = []
    },
    noteHead(told) {
      head = told
    },
    forget,
    async take(known) {
      const [way, end] = [packs, head]
      forget()
      if (way.length === 0 || end === undefined) return undefined
      let at = known
      for (const pack of way) if (pack.from === at && (await accepts(INDEX_PACK, pack.bytes))) at = pack.to
      if (at === null || at !== end) return undefined
      // That what a pack links to is there was checked; that all of it hangs together with what was known, is here.
      return (await accepts(['rev-list', '--objects', '--quiet', at, `^${known}`])) ? at : undefined
    },
  }
}
