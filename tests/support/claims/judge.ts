import type { RepoPort, SignedCommit } from '#core/ports/repo.ts'
import { parseTaskFile } from '#core/task-file.ts'
import { fileNameOf, isConflictCopy, parseVaultPath, type TaskPlace } from '#core/vault-path.ts'
import type { Told } from './told.ts'

/** A claim as the hub's history has it, or as somebody was told of it. */
export type Claimed = Omit<Told, 'at'>

/** What is wrong at the end: tasks lost, with two owners, or with an owner that was not told; claims told to two. */
export function judgeEnd(paths: readonly string[], names: readonly string[], told: readonly Claimed[]): string[] {
  const faults: string[] = []
  const places = Map.groupBy(
    paths.filter((path) => path.endsWith('.md') && !isConflictCopy(path)),
    fileNameOf,
  )
  for (const name of names) {
    const found = places.get(name) ?? []
    if (found.length === 0) faults.push(`lost: ${name}`)
    if (found.length > 1) faults.push(`in ${found.length} places: ${found.join(' ')}`)
    if (found.some((path) => !path.startsWith('In_Progress/'))) faults.push(`not claimed: ${found.join(' ')}`)
  }
  const copies = paths.filter(isConflictCopy)
  if (copies.length > 0) faults.push(`${copies.length} conflict copies: ${copies[0]}`)
  for (const [claim, tellings] of Map.groupBy(told, ({ taskId, generation }) => `${taskId} ${generation}`)) {
    const agents = new Set(tellings.map((one) => one.agent))
    if (agents.size > 1) faults.push(`told to ${[...agents].join(' and ')}: ${claim}`)
  }
  return faults
}

export interface History {
  readonly faults: readonly string[]
  /** Every claim that the hub has accepted, in order. */
  readonly claims: readonly Claimed[]
  readonly givenBack: number
}

/**
 * Replays the hub's history: each task goes from Needs_Action to the signer's folder and back, one generation up each time,
 * and never from one agent to another.
 */
export async function judgeHistory(commits: readonly SignedCommit[], repo: RepoPort): Promise<History> {
  const faults: string[] = []
  const claims: Claimed[] = []
  const standing = new Map<string, { place: TaskPlace; generation: number }>()
  let givenBack = 0
  for (const { oid, signature, changes } of commits) {
    const signer = signature.state === 'good' ? signature.agent : signature.state
    const gone = new Set(changes.filter(({ after }) => !after).map(({ path }) => path))
    for (const { path, after } of changes) {
      const verdict = parseVaultPath(path)
      if (!after || !verdict.ok || !('kind' in verdict.place) || isConflictCopy(path)) continue
      const place = verdict.place as TaskPlace
      const name = fileNameOf(path)
      const parsed = parseTaskFile(Buffer.from(await repo.readBlob(after.oid, 1 << 20)).toString('utf8'))
      if (!parsed.ok) {
        faults.push(`${oid}: ${path} cannot be read`)
        continue
      }
      const { id, generation } = parsed.task.front
      const before = standing.get(name)
      const say = (what: string) => faults.push(`${oid.slice(0, 8)} by ${signer}: ${what}: ${path}`)
      if (before && !gone.has(pathOf(before.place, name))) say('did not leave where it was')
      if (before && generation !== before.generation + 1) say(`from generation ${before.generation} to ${generation}`)
      if (place.kind === 'in-progress') {
        if (before?.place.kind !== 'needs-action') say('claimed from where it was not open')
        if (place.agent !== signer) say('claimed for another')
        claims.push({ agent: place.agent, taskId: id, generation })
      } else if (before) {
        if (before.place.kind !== 'in-progress' || before.place.agent !== signer) say('given back by another')
        givenBack++
      }
      standing.set(name, { place, generation })
    }
  }
  return { faults, claims, givenBack }
}

/** Whether exactly what the hub has accepted was told, each to the agent that the hub says. */
export function judgeTold(claims: readonly Claimed[], told: readonly Claimed[]): string[] {
  const textOf = ({ agent, taskId, generation }: Claimed) => `${agent} ${taskId} ${generation}`
  const accepted = new Set(claims.map(textOf))
  const heard = new Set(told.map(textOf))
  return [
    ...[...accepted].filter((one) => !heard.has(one)).map((one) => `never told: ${one}`),
    ...[...heard].filter((one) => !accepted.has(one)).map((one) => `told, but not so at the hub: ${one}`),
  ]
}

function pathOf(place: TaskPlace, name: string): string {
  if (place.kind === 'in-progress') return `In_Progress/${place.agent}/${name}`
  return place.kind === 'needs-action' ? `Needs_Action/${place.domain}/${name}` : name
}
