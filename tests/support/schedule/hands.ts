import { isConflictCopy, withoutConflictMark } from '#core/vault-path.ts'
import { PRESENTED, type SyncZone, taskText } from '#tests/support/sync-world.ts'
import type { Judge } from './judge.ts'
import type { Random } from './random.ts'
import { domainOf, fileName, generationIn, idOf } from './tasks.ts'

/** What anybody's hands can do to the files of one machine. All that is written and replaced is told to the judge. */
export class Hands {
  readonly #random: Random
  readonly #judge: Judge
  readonly #tell: (what: string) => void
  #serial = 0

  constructor(random: Random, judge: Judge, tell: (what: string) => void) {
    this.#random = random
    this.#judge = judge
    this.#tell = tell
  }

  /** New words in the place of the old ones. Gives the path. */
  write(zone: SyncZone, path: string, options: { isPresented?: boolean; isHeld?: boolean } = {}): string {
    const before = zone.files.text(path) ?? ''
    const words = `words ${zone.agent} ${++this.#serial} end`
    this.#judge.replaced(before)
    this.#judge.wrote(words, { agent: zone.agent, isHeld: options.isHeld ?? false })
    this.#tell(`… ${words}`)
    zone.files.put(path, textOf(path, words, before, options.isPresented ?? false))
    return path
  }

  /** One rename into a folder. Services do that when the task stands in one place. */
  move(zone: SyncZone, from: string, folder: string): void {
    const to = `${folder}/${fileName(from)}`
    if ([...zone.files.files().keys()].some((one) => one !== from && one.endsWith(`/${fileName(from)}`))) return
    if (folder === 'Approved' && zone.zone === 'local') this.#judge.approved(to, zone.files.text(from) ?? '')
    this.rename(zone, from, to)
  }

  rename(zone: SyncZone, from: string, to: string): void {
    this.#tell(`… ${from} → ${to}: ${zone.files.rename(from, to)}`)
  }

  copyToApproved(zone: SyncZone, from: string): void {
    const to = `Approved/${fileName(from)}`
    if (zone.files.text(to) !== undefined) return
    this.#judge.approved(to, zone.files.text(from) ?? '')
    zone.files.put(to, zone.files.text(from) ?? '')
  }

  remove(zone: SyncZone, path: string): void {
    this.#judge.replaced(zone.files.text(path) ?? '')
    zone.files.drop(path)
  }

  /** The person keeps one of the two: the copy goes away, or over its file, by hand or by a rename. */
  settle(zone: SyncZone, copy: string): void {
    const file = withoutConflictMark(copy)
    const before = zone.files.text(file)
    const isMovable = !file.includes('EMAIL_') || file.startsWith('Pending_Approval/')
    if (before === undefined || !isMovable || this.#random.chance(0.4)) {
      this.remove(zone, copy)
      return
    }
    const text = zone.files.text(copy) ?? ''
    this.#judge.replaced(before)
    if (generationIn(text) < generationIn(before)) this.#judge.broughtBack(fileName(file))
    this.#tell(`… ${copy} over ${file}`)
    if (this.#random.chance(0.5)) {
      zone.files.put(file, text)
      zone.files.drop(copy)
    } else {
      zone.files.drop(file)
      zone.files.rename(copy, file)
    }
  }

  /** Some file of the contract below a folder, that is no conflict copy. */
  pick(zone: SyncZone, beginning: string): string | undefined {
    const all = [...zone.files.files().keys()].filter((path) => !isConflictCopy(path))
    return this.#random.pick(all.filter((path) => path.startsWith(beginning)))
  }

  pickCopy(zone: SyncZone): string | undefined {
    return this.#random.pick([...zone.files.files().keys()].filter(isConflictCopy))
  }
}

/** A task keeps its generation, and its mark of having been presented. */
function textOf(path: string, words: string, before: string, isPresented: boolean): string {
  const id = idOf(path)
  if (!id) return words
  const more = isPresented || before.includes('presented:') ? PRESENTED : ''
  return taskText({ id, generation: generationIn(before), body: words, more }).replace(
    'domain: email',
    `domain: ${domainOf(path)}`,
  )
}
