import type { DashboardFacts, WaitingTask } from './dashboard-facts.ts'

export const NOTE_KINDS = ['question', 'refused', 'silent', 'high', 'urgent', 'old'] as const
export type NoteKind = (typeof NOTE_KINDS)[number]

/** Something the person should hear of although they are not looking. */
export interface Noteworthy {
  /** The same for the same matter in the same state. */
  readonly key: string
  readonly kind: NoteKind
  /** A stranger's words. */
  readonly title: string
  readonly domain: string
  /** Its title never leaves this machine. */
  readonly isPrivate: boolean
}

/**
 * The gravest first: outcomes that only the person can find out, what was refused (a forged approval, a hub that holds
 * what it may not), a cloud that says nothing any more, what is of high risk or calls itself urgent, and what has waited for longer than `olderThanMs`. A task is there once; when
 * it has grown old, under another key, so that it is told of once more.
 */
export function noteworthy(facts: DashboardFacts, now: number, olderThanMs: number): Noteworthy[] {
  const { quarantine, silent } = facts.news
  const refused = [
    ...(quarantine ? [{ key: `quarantine:${quarantine.key}`, title: 'The hub holds what this machine refuses' }] : []),
    ...facts.alerts.map(({ key, say }) => ({ key: `alert:${key}`, title: say })),
  ]
  const found = [
    ...refused.map((one): Noteworthy => ({ ...one, kind: 'refused', domain: 'general', isPrivate: false })),
    ...silent.map(({ key, say }): Noteworthy => {
      return { key: `silent:${key}`, title: say, kind: 'silent', domain: 'general', isPrivate: false }
    }),
    ...facts.waiting.flatMap((task) => ofTask(task, isOlder(task, now, olderThanMs))),
  ]
  return found.toSorted((a, b) => NOTE_KINDS.indexOf(a.kind) - NOTE_KINDS.indexOf(b.kind))
}

function isOlder(task: WaitingTask, now: number, olderThanMs: number): boolean {
  return task.at !== undefined && now - Date.parse(task.at) > olderThanMs
}

function ofTask(task: WaitingTask, isOld: boolean): Noteworthy[] {
  const kind = kindOf(task) ?? (isOld ? 'old' : undefined)
  if (kind === undefined) return []
  const { title, isPrivate } = task
  const domain = task.path.split('/')[1] ?? 'general'
  return [{ key: isOld ? `old:${task.key}` : task.key, kind, title, domain, isPrivate }]
}

function kindOf({ level, isUrgent }: WaitingTask): NoteKind | undefined {
  if (level === 'question' || level === 'high') return level
  return isUrgent ? 'urgent' : undefined
}
