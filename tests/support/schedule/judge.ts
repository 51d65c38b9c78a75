import { type LedgerFile, verifyChain } from '#core/ledger.ts'
import type { Oid } from '#core/ports/repo.ts'
import { foldedPath, isConflictCopy, withoutConflictMark } from '#core/vault-path.ts'
import type { SyncWorld, SyncZone } from '#tests/support/sync-world.ts'
import { domainOf, fileName, generationIn, nameOf } from './tasks.ts'

/** A text that somebody wrote. */
interface Written {
  readonly agent: string
  /** Written where its agent may not write: it need not leave that agent's machine. */
  readonly isHeld: boolean
}

const WORDS = /words [a-z-]+ \d+ end/g

/** What must hold in every schedule, whatever happened. Remembers what was written and looks again and again. */
export class Judge {
  readonly #world: SyncWorld
  /** What nobody has replaced or removed on purpose since. */
  readonly #written = new Map<string, Written>()
  /** Path in Approved/ → the text that the person moved there. */
  readonly #approved = new Map<string, string>()
  /** Task and generation → the agent whose claim the hub took. */
  readonly #claims = new Map<string, string>()
  /** Task → its newest generation. */
  readonly #generations = new Map<string, number>()
  readonly #forgetful = new Set<string>()
  readonly #broughtBack = new Set<string>()
  readonly #violations = new Set<string>()
  readonly #seen = new Set<Oid>()
  #head: Oid | null = null

  constructor(world: SyncWorld) {
    this.#world = world
  }

  wrote(words: string, written: Written): void {
    this.#written.set(words, written)
  }

  /** Somebody replaced or removed this text, and had it before their eyes. */
  replaced(text: string): void {
    for (const words of text.match(WORDS) ?? []) this.#written.delete(words)
  }

  /** The person brought back a version of before a claim: that counts, and the numbers start again from there. */
  broughtBack(name: string): void {
    this.#broughtBack.add(name)
  }

  /** Whose store is lost forgets whom it had to tell; the drafter's own look finds the task. */
  forgot(agent: string): void {
    this.#forgetful.add(agent)
  }

  approved(path: string, text: string): void {
    this.#approved.set(path, text)
  }

  blame(what: string): void {
    this.#violations.add(what)
  }

  violations(): readonly string[] {
    return [...this.#violations]
  }

  /** What must hold at any moment. */
  look(): void {
    const { head } = this.#world.hub
    if (head !== this.#head) {
      this.#lookAtClaims(head)
      this.#lookAtHub()
      this.#head = head
    }
    this.#lookAtApproved()
    this.#lookAtHolders(false)
  }

  /** What must hold once everybody is at rest; `held` are the paths that somebody does not carry. */
  end(held: ReadonlySet<string>): void {
    const hub = this.#world.hub.files()
    for (const zone of this.#world.zones) this.#compare(zone, hub, held)
    const here = this.#world.zones.flatMap(({ files }) => [...files.files()].filter(([path]) => mayDiffer(path, held)))
    const kept = [...hub, ...here].map(([, text]) => text).join('\n')
    for (const [words, { agent, isHeld: mayStayBehind }] of this.#written) {
      const trash = mayStayBehind ? this.#world.zones.find((one) => one.agent === agent)?.trash : []
      if (!kept.includes(words) && !trash?.some((text) => text.includes(words))) this.blame(`lost: ${words}`)
    }
    for (const { agent } of this.#world.zones) this.#verifyLedger(agent, hub)
    this.#lookAtHolders(true)
    this.#lookAtBells(hub)
  }

  #lookAtApproved(): void {
    for (const [path, text] of this.#world.local.files.files()) {
      if (!path.startsWith('Approved/')) continue
      const approved = this.#approved.get(path)
      if (approved === undefined) this.blame(`approved by nobody: ${path}`)
      else if (approved !== text) this.blame(`approved bytes changed: ${path}`)
    }
  }

  /**
   * Whoever was told to work on a task holds it by a claim that the hub has taken, or the hub has never seen it. Local may put
   * what it claimed before then where it stands by now.
   */
  #lookAtHolders(isEnd: boolean): void {
    for (const { agent, rung } of this.#world.zones)
      for (const { taskId, generation } of rung) {
        const holder = this.#claims.get(`${taskId} ${generation}`)
        const isUnseen = !holder && (!isEnd || agent === 'local' || !this.#generations.has(nameOf(taskId)))
        if (holder === agent || isUnseen) continue
        this.blame(`${agent} works on generation ${generation} of ${taskId}, held by ${holder}`)
      }
  }

  /** Who holds a task was told so. */
  #lookAtBells(hub: ReadonlyMap<string, string>): void {
    for (const { agent, rung } of this.#world.zones)
      for (const [path, text] of hub) {
        if (!path.startsWith(`In_Progress/${agent}/`) || agent === 'local' || this.#forgetful.has(agent)) continue
        const isTold = rung.some(
          ({ taskId, generation }) => path.endsWith(nameOf(taskId)) && generation === generationIn(text),
        )
        if (!isTold) this.blame(`${agent} was never told of ${path}`)
      }
  }

  /** Every claim has a generation of its own, higher than any before. */
  #lookAtClaims(head: Oid | null): void {
    const fresh: Oid[] = []
    for (let at = head; at !== null && !this.#seen.has(at); at = this.#world.hub.commits.get(at)?.parents[0] ?? null)
      fresh.unshift(at)
    for (const oid of fresh) {
      this.#seen.add(oid)
      const commit = this.#world.hub.commits.get(oid)
      const signer = commit?.signature.state === 'good' ? commit.signature.agent : ''
      for (const [path, { oid: blob }] of commit?.trailers.Claim ? commit.tree : []) {
        const text = Buffer.from(this.#world.hub.blobs.get(blob) ?? []).toString('utf8')
        const id = /^id: (\w+)/m.exec(text)?.[1] ?? ''
        if (!path.startsWith(`In_Progress/${signer}/`) || !commit?.trailers.Claim?.includes(id)) continue
        const claim = `${id} ${generationIn(text)}`
        if (this.#claims.has(claim) && !this.#broughtBack.has(fileName(path))) this.blame(`claimed twice: ${claim}`)
        this.#claims.set(claim, signer)
      }
    }
  }

  #lookAtHub(): void {
    const names = new Map<string, string>()
    for (const [path, text] of this.#world.hub.files()) {
      const isTask = path.includes('EMAIL_') && !isConflictCopy(path)
      const name = isTask ? (path.split('/').at(-1) ?? '') : foldedPath(path)
      const other = names.get(name)
      if (other) this.blame(`one thing in two places: ${[other, path].sort().join(' ')}`)
      names.set(name, path)
      if (isTask) this.#lookAtGeneration(path, text)
    }
  }

  /** What was decided counts as it was decided, whatever was claimed at the same time. */
  #lookAtGeneration(path: string, text: string): void {
    const name = fileName(path)
    if (/^(Approved|Rejected|In_Progress\/local|Done)\//.test(path)) this.broughtBack(name)
    const generation = generationIn(text)
    const before = this.#generations.get(name) ?? 0
    if (generation < before && !this.#broughtBack.has(name))
      this.blame(`the generation of ${name} went back from ${before} to ${generation}`)
    this.#generations.set(name, Math.max(before, generation))
  }

  #compare({ agent, files }: SyncZone, hub: ReadonlyMap<string, string>, held: ReadonlySet<string>): void {
    const here = files.files()
    for (const path of new Set([...here.keys(), ...hub.keys()]))
      if (here.get(path) !== hub.get(path) && !mayDiffer(path, held))
        this.blame(`${agent} differs from the hub at ${path}`)
  }

  #verifyLedger(agent: string, hub: ReadonlyMap<string, string>): void {
    const files: LedgerFile[] = [...hub]
      .filter(([path]) => path.startsWith(`Logs/${agent}/`))
      .map(([path, text]) => ({ name: path.split('/').at(-1) ?? '', text }))
    for (const { file, line, problem } of verifyChain(agent, files).faults)
      this.blame(`the ledger of ${agent}, ${file} line ${line}: ${problem}`)
  }
}

/** Held is what is merged as one thing: a task of that name, wherever it stands. What is local's own stays there. */
function mayDiffer(path: string, held: ReadonlySet<string>): boolean {
  const isSame = (one: string) => one === path || (path.includes('EMAIL_') && one.endsWith(`/${fileName(path)}`))
  return domainOf(withoutConflictMark(path)) === 'payment' || [...held].some(isSame)
}
