import type { WeekNumbers } from './ledger-week.ts'
import type { ZoneNews } from './zone-news.ts'

/**
 * How closely the person has to look. `question`: something may have been done, and only they can find out. `high`: it
 * could do harm. `look`: something about it is unusual, or the file cannot be used as it stands.
 */
export const LEVELS = ['question', 'high', 'look', 'plain'] as const
export type Level = (typeof LEVELS)[number]

/** A task in a list. `title` and `say` may be a stranger's words; `at` is ISO 8601 UTC. */
export interface ListedTask {
  readonly path: string
  readonly title: string
  readonly say: string
  readonly at?: string | undefined
}

export interface WaitingTask extends ListedTask {
  readonly level: Level
  /** The worst that its card warns of. */
  readonly why?: string | undefined
  /** Tells this matter, in this state, from any other: for what was told of it already. */
  readonly key: string
  /** Of a domain that never leaves this machine. */
  readonly isPrivate: boolean
  /** The file says so itself (`priority: high`). */
  readonly isUrgent: boolean
}

export interface Alert {
  readonly key: string
  readonly agent: string
  readonly at: string
  readonly say: string
}

/** All that Dashboard.md and `countersign status` show. Nothing in it changes by the mere passing of seconds. */
export interface DashboardFacts {
  readonly isHalted: boolean
  /** Review.md stands in the vault. */
  readonly hasReview: boolean
  /** What waits for the person, in the order in which to look at it. */
  readonly waiting: readonly WaitingTask[]
  /** Approved and on the way, or kept back, and why. */
  readonly held: readonly ListedTask[]
  /** Requests of several steps that are under way, by their notes in Plans/. */
  readonly plans: readonly ListedTask[]
  /** Open tasks that changed hands, until somebody takes them up. */
  readonly handed: readonly ListedTask[]
  /** Newest first. */
  readonly doneToday: readonly ListedTask[]
  readonly doneThisMonth: number
  /** Notes from the agents, newest first. */
  readonly updates: readonly { readonly agent: string; readonly text: string }[]
  /** Paths of conflict copies. */
  readonly conflicts: readonly string[]
  /** Of today and yesterday, newest first. */
  readonly alerts: readonly Alert[]
  /** What is wrong here, one sentence each; empty when all is well. */
  readonly problems: readonly string[]
  readonly news: Omit<ZoneNews, 'problems'>
  readonly week: WeekNumbers
  readonly counts: { readonly needsAction: number; readonly inProgress: number; readonly approved: number }
}

/** By level, then the oldest first. */
export function inOrder(tasks: readonly WaitingTask[]): WaitingTask[] {
  const place = (task: WaitingTask) => `${LEVELS.indexOf(task.level)} ${task.at ?? ''} ${task.path}`
  return tasks
    .map((task) => ({ task, place: place(task) }))
    .sort((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0))
    .map(({ task }) => task)
}

/** What a task file says of itself. */
export interface TaskFacts {
  readonly id: string
  readonly generation: number
  readonly title: string
  /** What it would do, and what it did when it is done. */
  readonly say: string
  readonly done: string
  readonly why: string | undefined
  readonly level: Exclude<Level, 'question'>
  readonly isUrgent: boolean
  /** Since when it waits, as the file says it. */
  readonly at: string | undefined
}
