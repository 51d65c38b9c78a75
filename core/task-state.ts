import { folderOf, type TaskPlace } from './vault-path.ts'
import type { Zone } from './zone-policy.ts'

/** Who moves: an agent of a zone, or the person at the local machine. */
export type Mover = { readonly zone: Zone; readonly agent: string } | 'person'

interface Transition {
  readonly from: TaskPlace['kind']
  readonly to: TaskPlace['kind']
  readonly by: readonly (Zone | 'person')[]
  readonly what: string
}

/** The state machine (docs/vault-contract.md): every other move is refused. `own` in-progress folders are checked below. */
export const TRANSITIONS: readonly Transition[] = [
  { from: 'needs-action', to: 'in-progress', by: ['cloud', 'local'], what: 'claim' },
  { from: 'needs-action', to: 'rejected', by: ['person'], what: 'seen to by the person, or nothing to be done' },
  { from: 'in-progress', to: 'needs-action', by: ['cloud', 'local', 'person'], what: 'release' },
  {
    from: 'in-progress',
    to: 'pending',
    by: ['cloud', 'local', 'person'],
    what: 'drafted, not executed with a reason, or taken back from the undo window',
  },
  { from: 'pending', to: 'approved', by: ['person', 'local'], what: 'approve' },
  { from: 'pending', to: 'rejected', by: ['person', 'local'], what: 'reject' },
  { from: 'pending', to: 'needs-action', by: ['person', 'local'], what: 'redraft' },
  { from: 'approved', to: 'in-progress', by: ['local'], what: 'freeze' },
  { from: 'approved', to: 'pending', by: ['person', 'local'], what: 'taken back, or broken, stale, expired' },
  { from: 'approved', to: 'rejected', by: ['person'], what: 'rejected after all' },
  { from: 'rejected', to: 'pending', by: ['person'], what: 'reconsidered' },
  { from: 'in-progress', to: 'approved', by: ['person'], what: 'undo: taken back from the undo window' },
  { from: 'in-progress', to: 'rejected', by: ['person'], what: 'undo and reject' },
  { from: 'in-progress', to: 'done', by: ['local'], what: 'executed' },
]

/** Whether a task may go from one place to another when `by` moves it. Staying in place is always allowed. */
export function canMove(from: TaskPlace, to: TaskPlace, by: Mover): boolean {
  const role = by === 'person' ? by : by.zone
  if (folderOf(from) === folderOf(to)) return true
  const ownsEnds = [from, to].every(
    (place) => place.kind !== 'in-progress' || by === 'person' || place.agent === by.agent,
  )
  const keepsDomain = !('domain' in from && 'domain' in to) || from.domain === to.domain
  return (
    ownsEnds &&
    keepsDomain &&
    TRANSITIONS.some((one) => one.from === from.kind && one.to === to.kind && one.by.includes(role))
  )
}
