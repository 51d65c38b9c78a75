import { createHash } from 'node:crypto'
import type { TaskId } from '#core/ids.ts'
import type { SyncZone } from '#tests/support/sync-world.ts'
import type { Hands } from './hands.ts'
import type { Random } from './random.ts'
import { domainOf, fileName, generationIn, IDS, idOf, nameOf } from './tasks.ts'

/** Notes with names that some disks take for one, in the Unicode form of macOS, and as long as can be. */
const NOTES = [
  'Plans/a.md',
  'Plans/b.md',
  'Plans/B.md',
  'Plans/Cafe\u0301.md',
  'Plans/Café.md',
  `Plans/${'long '.repeat(30)}.md`,
]

/** What is done to one path; without a path it cannot be done now. */
type Deed = readonly [weight: number, what: string, path: string | undefined, act: (path: string) => void]

/** What people, the other services and commands do at one machine, at any moment. */
export class Deeds {
  readonly #random: Random
  readonly #hands: Hands
  readonly #tell: (deed: string) => void
  readonly #born = new Set<string>()
  #asked = 0

  constructor(random: Random, hands: Hands, tell: (deed: string) => void) {
    this.#random = random
    this.#hands = hands
    this.#tell = tell
  }

  /** What the vault holds at the beginning: a new task, a draft and a card, and a plan. */
  begin(zone: SyncZone): void {
    const [open = '', draft = '', card = ''] = IDS.map(nameOf)
    for (const name of [open, draft, card]) this.#born.add(name)
    this.#hands.write(zone, `Needs_Action/email/${open}`)
    this.#hands.write(zone, `Pending_Approval/email/${draft}`)
    this.#hands.write(zone, `Pending_Approval/email/${card}`, { isPresented: true })
    this.#hands.write(zone, NOTES[0] ?? '')
  }

  /** One deed of somebody at this agent's machine. */
  one(zone: SyncZone): void {
    const all = [...this.#anybodys(zone), ...(zone.zone === 'local' ? this.#locals(zone) : this.#clouds(zone))]
    const deeds = all.filter(([, , path]) => path !== undefined)
    let dice = this.#random.next() * deeds.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, what, path = '', act] of deeds) {
      dice -= weight
      if (dice >= 0) continue
      this.#tell(`${zone.agent} ${what}: ${path}`)
      act(path)
      return
    }
  }

  #anybodys(zone: SyncZone): Deed[] {
    const write = (path: string) => void this.#hands.write(zone, path)
    return [
      [1.5, 'writes a note', this.#random.pick(NOTES), write],
      [1, 'adds to a plan', this.#hands.pick(zone, 'Plans/'), write],
      [1, 'asks to claim', this.#hands.pick(zone, 'Needs_Action/'), (path) => this.#askToClaim(zone, path)],
      [0.5, 'asks to give back', this.#hands.pick(zone, 'In_Progress/'), (path) => this.#askToGiveBack(zone, path)],
    ]
  }

  #clouds(zone: SyncZone): Deed[] {
    const own = () => this.#hands.pick(zone, `In_Progress/${zone.agent}/`)
    const pending = () => this.#hands.pick(zone, 'Pending_Approval/')
    const write = (path: string) => void this.#hands.write(zone, path)
    const move = (folder: string) => (path: string) => this.#move(zone, path, folder)
    const handOver = (path: string) => this.#move(zone, this.#hands.write(zone, path), 'Pending_Approval')
    return [
      [8, 'files a mail', zone.agent === 'cloud' ? this.#unborn() : undefined, (path) => this.#file(zone, path)],
      [4, 'drafts', own(), write],
      [3, 'hands its draft over', own(), move('Pending_Approval')],
      [8, 'drafts and hands over', own(), handOver],
      [2, 'improves its draft', pending(), write],
      [1, 'gives a task back', own(), move('Needs_Action')],
      [0.5, 'removes a task by mistake', own(), (path) => this.#hands.remove(zone, path)],
      [0.3, 'forges an approval', pending(), move('Approved')],
      [0.3, 'makes rules', 'Company_Handbook.md', (path) => void this.#hands.write(zone, path, { isHeld: true })],
    ]
  }

  #locals(zone: SyncZone): Deed[] {
    const pick = (folder: string) => this.#hands.pick(zone, folder)
    const write = (path: string) => void this.#hands.write(zone, path)
    const remove = (path: string) => this.#hands.remove(zone, path)
    const move = (folder: string) => (path: string) => this.#move(zone, path, folder)
    const present = (path: string) => void this.#hands.write(zone, path, { isPresented: true })
    return [
      [3, 'drops a task', this.#unborn(), (path) => this.#file(zone, path)],
      [6, 'puts a card before the person', pick('Pending_Approval/'), present],
      [3, 'edits a card', pick('Pending_Approval/'), write],
      [6, 'approves', pick('Pending_Approval/'), move('Approved')],
      [1, 'rejects', pick('Pending_Approval/'), move('Rejected')],
      [2, 'wants a redraft', pick('Pending_Approval/'), move('Needs_Action')],
      [5, 'freezes an approval', pick('Approved/'), move('In_Progress/local')],
      [5, 'is done', pick('In_Progress/local/'), move('Done/2026-11')],
      [1, 'takes an approval back', pick('Approved/'), move('Pending_Approval')],
      [1, 'undoes', pick('In_Progress/local/'), move('Approved')],
      [1, 'gives back what the cloud has', pick('In_Progress/cloud'), move('Needs_Action')],
      [1, 'copies to Approved', pick('Pending_Approval/'), (path) => this.#hands.copyToApproved(zone, path)],
      [1, 'writes into an open task', pick('Needs_Action/'), write],
      [1, 'removes an open task', pick('Needs_Action/'), remove],
      [1, 'removes a plan', pick('Plans/'), remove],
      [1, 'respells a plan', pick('Plans/b.md'), (path) => this.#hands.rename(zone, path, 'Plans/B.md')],
      [1, 'respells a plan', pick('Plans/B.md'), (path) => this.#hands.rename(zone, path, 'Plans/b.md')],
      [3, 'settles a conflict', this.#hands.pickCopy(zone), (path) => this.#hands.settle(zone, path)],
      [0.5, 'makes rules', 'Company_Handbook.md', write],
    ]
  }

  /** A task that nobody has filed yet. */
  #unborn(): string | undefined {
    const id = IDS.find((one) => !this.#born.has(nameOf(one)))
    return id && `Needs_Action/${domainOf(nameOf(id))}/${nameOf(id)}`
  }

  #file(zone: SyncZone, path: string): void {
    this.#born.add(fileName(path))
    this.#hands.write(zone, path)
  }

  #move(zone: SyncZone, from: string, folder: string): void {
    const isByDomain = folder === 'Needs_Action' || folder === 'Pending_Approval'
    this.#hands.move(zone, from, isByDomain ? `${folder}/${domainOf(from)}` : folder)
  }

  #askToClaim({ requests }: SyncZone, path: string): void {
    requests.ask({ kind: 'claim', ...this.#about(path) })
  }

  #askToGiveBack({ requests, files }: SyncZone, path: string): void {
    const generation = generationIn(files.text(path) ?? '')
    requests.ask({ kind: 'give-back', ...this.#about(path), holder: path.split('/')[1] ?? '', generation })
  }

  #about(path: string) {
    const id = createHash('md5')
      .update(`${++this.#asked}`)
      .digest('hex')
    return { id, task: (idOf(path) ?? '') as TaskId, file: fileName(path) }
  }
}
