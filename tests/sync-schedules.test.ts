import { describe, expect, it } from 'vitest'
import { isConflictCopy } from '#core/vault-path.ts'
import { Crash, makeSyncWorld, PRESENTED, type SyncWorld, type SyncZone, taskText } from '#tests/support/sync-world.ts'

// Two engines on one hub under random schedules: people and services write at any moment, also within a cycle, either
// process dies at any point, pushes are lost or their answers are. Each schedule follows from its seed alone.
const SCHEDULES = Number(process.env.COUNTERSIGN_TEST_SCHEDULES ?? 150)
const MOVES = 25
const IDS = ['01K9ZZZZZZZZZZZZZZZZ7H3K9Q', '01K9ZZZZZZZZZZZZZZZZ8J4M0R', '01K9ZZZZZZZZZZZZZZZZ9K5N1S']
const nameOf = (id: string) => `EMAIL_2026-11-20_task_${id.slice(-6).toLowerCase()}.md`

/** Mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

class Schedule {
  readonly world: SyncWorld = makeSyncWorld()
  readonly random: () => number
  /** Every text that somebody wrote and nobody replaced or removed on purpose. */
  readonly written = new Set<string>()
  /** Task name → the text that the person moved to Approved/. */
  readonly approved = new Map<string, string>()
  readonly violations: string[] = []
  private serial = 0
  private depth = 0

  constructor(seed: number) {
    this.random = randomOf(seed)
    this.world.hub.pushFate = () => (this.chance(0.1) ? 'lost-answer' : this.chance(0.1) ? 'lost-push' : 'ok')
    this.world.at = (zone) => this.between(this.world[zone])
  }

  async run(): Promise<void> {
    for (let move = 0; move < MOVES; move++) {
      this.world.now += Math.trunc(this.random() * 100)
      const zone = this.chance(0.5) ? this.world.cloud : this.world.local
      if (this.chance(0.5)) this.act(zone)
      else await this.cycle(zone)
    }
    this.world.at = () => {}
    this.world.hub.pushFate = () => 'ok'
    for (let round = 0; round < 12; round++) for (const zone of this.zones()) await zone.sync()
    this.judge()
  }

  private zones = () => [this.world.cloud, this.world.local]
  private chance = (probability: number) => this.random() < probability
  private pick = <T>(from: readonly T[]): T | undefined => from[Math.trunc(this.random() * from.length)]

  private async cycle(zone: SyncZone): Promise<void> {
    try {
      const outcome = await zone.sync()
      if (!['synced', 'contended'].includes(outcome.kind)) this.violations.push(`a cycle ended as ${outcome.kind}`)
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      zone.restart()
    }
    this.lookAtHub()
  }

  /** What happens at a point within a cycle. */
  private async between(zone: SyncZone): Promise<void> {
    const other = zone.zone === 'cloud' ? this.world.local : this.world.cloud
    if (this.chance(0.06)) this.act(zone)
    if (this.chance(0.04)) throw new Crash(zone.zone)
    if (this.depth === 0 && this.chance(0.06)) {
      this.depth++
      await this.cycle(other)
      this.depth--
    }
  }

  /** One deed of a service or of the person. */
  private act(zone: SyncZone): void {
    const { files } = zone
    const all = [...files.files().keys()].filter((path) => !path.startsWith('Logs/') && !isConflictCopy(path))
    const inFolder = (folder: string) => this.pick(all.filter((path) => path.startsWith(folder)))
    const move = (from: string | undefined, folder: string) => {
      const to = from && `${folder}/${from.split('/').at(-1)}`
      if (from && to && !this.standsElsewhere(zone, from)) {
        if (folder === 'Approved' && files.rename(from, to)) this.approved.set(to, files.text(to) ?? '')
        else files.rename(from, to)
      }
    }
    const edit = (path: string | undefined, more = '') => {
      if (!path) return
      const before = files.text(path) ?? ''
      const id = IDS.find((one) => path.endsWith(nameOf(one)))
      const generation = /generation: "?(\d+)/.exec(before)?.[1] ?? '0'
      const presented = more || before.includes('presented:') ? PRESENTED : ''
      const body = `words ${zone.zone} ${++this.serial} end`
      const text = id ? taskText({ id, generation: Number(generation), body, more: presented }) : body
      this.forget(before)
      this.written.add(body)
      files.put(path, text)
    }
    const dice = Math.trunc(this.random() * 7)
    if (dice === 0) edit(`Plans/${this.pick(['a', 'b'])}.md`)
    else if (zone.zone === 'cloud') {
      const id = this.pick(IDS) ?? ''
      if (dice < 3) {
        const path = `Needs_Action/email/${nameOf(id)}`
        if (![...this.world.hub.files().keys(), ...all].some((one) => one.endsWith(nameOf(id)))) edit(path)
      } else if (dice < 5) edit(inFolder(this.chance(0.5) ? 'In_Progress/cloud/' : 'Pending_Approval/'))
      else move(inFolder('In_Progress/cloud/'), 'Pending_Approval/email')
    } else if (dice < 3) edit(inFolder('Pending_Approval/'), 'card')
    else if (dice === 3) move(inFolder('Pending_Approval/'), 'Approved')
    else if (dice === 4) move(inFolder('Pending_Approval/'), this.chance(0.5) ? 'Rejected' : 'Needs_Action/email')
    else if (dice === 5) move(inFolder('Approved/'), 'In_Progress/local')
    else move(inFolder('In_Progress/local/'), 'Done/2026-11')
  }

  private standsElsewhere({ files }: SyncZone, path: string): boolean {
    return [...files.files().keys()].some((one) => one !== path && one.endsWith(path.split('/').at(-1) ?? ''))
  }

  private forget(text: string): void {
    const words = /words \w+ \d+ end/.exec(text)?.[0]
    if (words) this.written.delete(words)
  }

  private lookAtHub(): void {
    const names = [...this.world.hub.files().keys()].filter((path) => path.includes('EMAIL_') && !isConflictCopy(path))
    const tasks = names.map((path) => path.split('/').at(-1))
    if (new Set(tasks).size !== tasks.length) this.violations.push(`a task in two places: ${names.join(' ')}`)
  }

  private judge(): void {
    const plain = (files: ReadonlyMap<string, string>) =>
      [...files].filter(([path]) => !path.startsWith('Logs/')).toSorted()
    const hub = plain(this.world.hub.files())
    for (const zone of this.zones())
      if (JSON.stringify(plain(zone.files.files())) !== JSON.stringify(hub))
        this.violations.push(`${zone.zone} differs from the hub`)
    const texts = hub.map(([, text]) => text).join('\n')
    for (const words of this.written) if (!texts.includes(words)) this.violations.push(`lost: ${words}`)
    for (const [path, text] of this.approved) {
      const now = this.world.local.files.text(path)
      if (now !== undefined && now !== text) this.violations.push(`approved bytes changed: ${path}`)
    }
  }
}

describe('random schedules', () => {
  it(`lose nothing, keep one place per task and end alike (${SCHEDULES} of them)`, { timeout: 600_000 }, async () => {
    const failed: unknown[] = []
    const first = Number(process.env.COUNTERSIGN_TEST_SEED ?? 1)
    for (let seed = first; seed < first + SCHEDULES; seed++) {
      const schedule = new Schedule(seed)
      await schedule.run()
      if (schedule.violations.length > 0) failed.push({ seed, violations: [...new Set(schedule.violations)] })
    }
    expect(failed).toEqual([])
  })
})
