import type { Notice } from '../notice-to-person.ts'

export type NotifierName = 'desktop' | 'ntfy' | 'webhook'

/** A way to tell the person, who is not looking at the vault, that something needs them. */
export interface Notifier {
  readonly name: NotifierName
  /** What it is told leaves this machine. */
  readonly isOutside: boolean
  /** It was not asked for: when it does not work, that is no trouble. */
  readonly isOptional: boolean
  /** Hands the notice over. Throws ERR_NOTIFY_FAILED; whoever aborts learns nothing of what became of it. */
  notify(notice: Notice, signal: AbortSignal): Promise<void>
}

/** What was told by one way, so that it is not told again after a restart. Times: ms since the epoch. */
export interface Told {
  readonly lastAt: number
  /** Key of a matter → when it was told. */
  readonly keys: Readonly<Record<string, number>>
}

export interface ToldMemory {
  /** Nothing told yet, also when what was remembered cannot be read. */
  load(): Promise<Partial<Record<NotifierName, Told>>>
  save(told: Partial<Record<NotifierName, Told>>): Promise<void>
}
