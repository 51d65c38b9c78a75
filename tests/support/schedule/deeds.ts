import { isConflictCopy, withoutConflictMark } from '#core/vault-path.ts'
import { PRESENTED, type SyncZone, taskText } from '#tests/support/sync-world.ts'
import type { Judge } from './judge.ts'
import type { Random } from './random.ts'

const IDS = ['7H3K9Q', '8J4M0R', '9K5N1S', 'AM6P2T'].map((end) => `01K9ZZZZZZZZZZZZZZZZ${end}`)
const NOTES = ['Plans/a.md', 'Plans/b.md', 'Plans/B.md', `Plans/${'long '.repeat(30)}.md`]
const nameOf = (id: string) => `EMAIL_2026-11-20_task_${id.slice(-6).toLowerCase()}.md`
const fileName = (path: string) => path.split('/').at(-1) ?? ''

/** What is done to one path; without a path it cannot be done now. */
interface Deed {
  readonly weight: number
  readonly what: string
  readonly path: string | undefined
  readonly act: (path: string) => void
}

/** What people and the other services do in a vault, at any moment. */
export class Deeds {
  readonly #random: Random
  readonly #judge: Judge
  readonly #tell: (deed: string) => void
  readonly #born = new Set<string>()
  #serial = 0

  constructor(random: Random, judge: Judge, tell: (deed: string) => void) {
    this.#random = random
    this.#judge = judge
    this.#tell = tell
  }

  /** What the vault holds at the beginning: a new task, a draft and a card, and a plan. */
  begin(zone: SyncZone): void {
    const [open, draft, card] = IDS.map((id) => nameOf(id))
    this.#write(zone, `Needs_Action/email/${open}`)
    this.#write(zone, `Pending_Approval/email/${draft}`)
    this.#write(zone, `Pending_Approval/email/${card}`, false, PRESENTED)
    this.#write(zone, NOTES[0] ?? '')
  }

  /** One deed of somebody at this agent's machine. */
  one(zone: SyncZone): void {
    const all = [...this.#anybodys(zone), ...(zone.zone === 'local' ? this.#locals(zone) : this.#clouds(zone))]
    const deeds = all.filter(({ path }) => path !== undefined)
    let dice = this.#random.next() * deeds.reduce((sum, { weight }) => sum + weight, 0)
    for (const { weight, what, path, act } of deeds) {
      dice -= weight
      if (dice >= 0) continue
      this.#tell(`${zone.agent} ${what}: ${path}`)
      act(path ?? '')
      return
    }
  }

  #anybodys(zone: SyncZone): Deed[] {
    const write = (path: string) => this.#write(zone, path)
    return [
      { weight: 1.5, what: 'writes a note', path: this.#random.pick(NOTES), act: write },
      { weight: 1, what: 'adds to a plan', path: this.#pick(zone, 'Plans/'), act: write },
    ]
  }

  #clouds(zone: SyncZone): Deed[] {
    const own = () => this.#pick(zone, `In_Progress/${zone.agent}/`)
    const pending = () => this.#pick(zone, 'Pending_Approval/')
    const write = (path: string) => this.#write(zone, path)
    const to = (folder: string) => (path: string) => this.#move(zone, path, folder)
    const handOver = (path: string) => this.#move(zone, this.#write(zone, path), 'Pending_Approval/email')
    return [
      { weight: 8, what: 'files a mail', path: zone.agent === 'cloud' ? this.#unborn() : undefined, act: write },
      { weight: 4, what: 'drafts', path: own(), act: write },
      { weight: 3, what: 'hands its draft over', path: own(), act: to('Pending_Approval/email') },
      { weight: 8, what: 'drafts and hands over', path: own(), act: handOver },
      { weight: 2, what: 'improves its draft', path: pending(), act: write },
      { weight: 1, what: 'gives a task back', path: own(), act: to('Needs_Action/email') },
      { weight: 0.5, what: 'removes a task by mistake', path: own(), act: (path) => this.#remove(zone, path) },
      { weight: 0.3, what: 'forges an approval', path: pending(), act: to('Approved') },
      { weight: 0.3, what: 'makes rules', path: 'Company_Handbook.md', act: (path) => this.#write(zone, path, true) },
    ]
  }

  #locals(zone: SyncZone): Deed[] {
    const pick = (folder: string) => this.#pick(zone, folder)
    const write = (path: string) => this.#write(zone, path)
    const remove = (path: string) => this.#remove(zone, path)
    const to = (folder: string) => (path: string) => this.#move(zone, path, folder)
    const present = (path: string) => this.#write(zone, path, false, PRESENTED)
    const copies = [...zone.files.files().keys()].filter(isConflictCopy)
    return [
      { weight: 3, what: 'drops a task', path: this.#unborn(), act: write },
      { weight: 6, what: 'puts a card before the person', path: pick('Pending_Approval/'), act: present },
      { weight: 3, what: 'edits a card', path: pick('Pending_Approval/'), act: write },
      { weight: 6, what: 'approves', path: pick('Pending_Approval/'), act: to('Approved') },
      { weight: 1, what: 'rejects', path: pick('Pending_Approval/'), act: to('Rejected') },
      { weight: 2, what: 'wants a redraft', path: pick('Pending_Approval/'), act: to('Needs_Action/email') },
      { weight: 5, what: 'freezes an approval', path: pick('Approved/'), act: to('In_Progress/local') },
      { weight: 5, what: 'is done', path: pick('In_Progress/local/'), act: to('Done/2026-11') },
      { weight: 1, what: 'takes an approval back', path: pick('Approved/'), act: to('Pending_Approval/email') },
      { weight: 1, what: 'undoes', path: pick('In_Progress/local/'), act: to('Approved') },
      {
        weight: 1,
        what: 'gives back what the cloud has',
        path: pick('In_Progress/cloud'),
        act: to('Needs_Action/email'),
      },
      {
        weight: 1,
        what: 'copies to Approved by hand',
        path: pick('Pending_Approval/'),
        act: (path) => this.#copy(zone, path),
      },
      { weight: 1, what: 'writes into an open task', path: pick('Needs_Action/'), act: write },
      { weight: 1, what: 'removes an open task', path: pick('Needs_Action/'), act: remove },
      { weight: 1, what: 'removes a plan', path: pick('Plans/'), act: remove },
      {
        weight: 1,
        what: 'respells a plan',
        path: pick('Plans/b') ?? pick('Plans/B'),
        act: (path) => this.#respell(zone, path),
      },
      {
        weight: 2,
        what: 'settles a conflict',
        path: this.#random.pick(copies),
        act: (path) => this.#settle(zone, path),
      },
      { weight: 0.5, what: 'makes rules', path: 'Company_Handbook.md', act: write },
    ]
  }

  /** A task that nobody has filed yet. */
  #unborn(): string | undefined {
    const id = IDS.find((one) => !this.#born.has(nameOf(one)))
    return id && `Needs_Action/email/${nameOf(id)}`
  }

  /** New words in the place of the old ones. Gives the path. */
  #write(zone: SyncZone, path: string, isHeld = false, more = ''): string {
    this.#born.add(fileName(path))
    const before = zone.files.text(path) ?? ''
    const id = IDS.find((one) => path.endsWith(nameOf(one)))
    const generation = Number(/^generation: "?(\d+)/m.exec(before)?.[1] ?? 0)
    const presented = more || (before.includes('presented:') ? PRESENTED : '')
    const words = `words ${zone.agent} ${++this.#serial} end`
    this.#judge.replaced(before)
    this.#judge.wrote(words, { agent: zone.agent, isHeld })
    this.#tell(`… ${words}`)
    zone.files.put(path, id ? taskText({ id, generation, body: words, more: presented }) : words)
    return path
  }

  #move(zone: SyncZone, from: string, folder: string): void {
    const to = `${folder}/${fileName(from)}`
    if (this.#standsElsewhere(zone, from)) return
    const text = zone.files.text(from) ?? ''
    if (folder === 'Approved' && zone.zone === 'local') this.#judge.approved(to, text)
    this.#tell(`… ${from} → ${to}: ${zone.files.rename(from, to)}`)
  }

  #copy(zone: SyncZone, from: string): void {
    const to = `Approved/${fileName(from)}`
    if (zone.files.text(to) !== undefined) return
    const text = zone.files.text(from) ?? ''
    this.#judge.approved(to, text)
    zone.files.put(to, text)
  }

  #respell(zone: SyncZone, from: string): void {
    const to = from.endsWith('B.md') ? 'Plans/b.md' : 'Plans/B.md'
    this.#tell(`… ${from} → ${to}: ${zone.files.rename(from, to)}`)
  }

  #remove(zone: SyncZone, path: string): void {
    this.#judge.replaced(zone.files.text(path) ?? '')
    zone.files.drop(path)
  }

  /** Keeps one of the two: the copy goes over its file, or away. */
  #settle(zone: SyncZone, copy: string): void {
    const file = withoutConflictMark(copy)
    if (this.#random.chance(0.5) || zone.files.text(file) === undefined || file.includes('EMAIL_')) {
      this.#remove(zone, copy)
      return
    }
    const text = zone.files.text(copy) ?? ''
    this.#judge.replaced(zone.files.text(file) ?? '')
    this.#tell(`… ${copy} over ${file}`)
    zone.files.put(file, text)
    zone.files.drop(copy)
  }

  #pick(zone: SyncZone, beginning: string): string | undefined {
    const all = [...zone.files.files().keys()].filter((path) => !isConflictCopy(path))
    return this.#random.pick(all.filter((path) => path.startsWith(beginning)))
  }

  #standsElsewhere({ files }: SyncZone, path: string): boolean {
    return [...files.files().keys()].some((one) => one !== path && one.endsWith(`/${fileName(path)}`))
  }
}
