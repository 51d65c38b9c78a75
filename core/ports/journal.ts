import type { Receipt } from '../countersignature.ts'
import type { Use } from '../execution.ts'
import type { TaskId } from '../ids.ts'
import type { OutcomeFacts } from '../report.ts'
import type { Restored } from '../restore-epoch.ts'

/**
 * The card this machine last wrote for a task. It counts only while the file stands where it was shown or where the
 * person's decision takes it, and nothing has been received under its name since. Times in the journal are ms since
 * the epoch.
 */
export interface Presentation {
  readonly taskId: TaskId
  readonly fileName: string
  /** Where it was shown: `Pending_Approval/email`; `Approved` once it was approved, from where it counts in no other. */
  readonly folder: string
  /** `ReceivedPort.count` of the file when the bytes were read that the card was made from. */
  readonly received: number
  /** False once it was taken back: nothing may be decided on it, but the file's text is still known to be ours. */
  readonly stands: boolean
  /** Whether the whole note was rendered here, so that words outside the sections are the person's. */
  readonly isOwnText: boolean
  readonly generation: number
  /** Of the whole action, as the card showed it. */
  readonly digest: string
  /** Of the whole file as it was written (`shownDigest`). */
  readonly shown: string
  readonly at: number
}

/**
 * What is remembered of a task's draft from one revision to the next, until the task is done. Texts as `keptText` bounds
 * them.
 */
export interface DraftMemory {
  readonly taskId: TaskId
  /** Counts from 1. */
  readonly revision: number
  /** `Presentation.received`, and the generation, of the file that brought what is shown. */
  readonly received: number
  readonly generation: number
  /** This revision as the drafter wrote it. */
  readonly drafted: string
  /** As it stood in the newest card, with what the person changed in it. */
  readonly shown: string
  /** The revision before, as it was shown last; undefined for the first. */
  readonly previous: string | undefined
  /** The notes with which this revision was asked for; undefined when nobody asked. */
  readonly answers: string | undefined
  /** It was asked for, and is the text that the drafter had written before. */
  readonly isUnanswered: boolean
  /** The notes with which the next revision is asked for, while it has not come. */
  readonly asked: string | undefined
}

/** A task picked up from Approved/. Its row stands until the file has reached Done/ or is back before the person. */
export interface Freeze {
  readonly taskId: TaskId
  /** By which tool it will be done. */
  readonly tool: string
  readonly generation: number
  readonly fileName: string
  readonly frozenAt: number
  /** Nothing is done before this; until then the person takes it back by moving the file. */
  readonly undoUntil: number
}

/**
 * intended: signed, not used. consumed: its one use is spent, the provider's answer is not known. accepted: done at
 * the provider, to be tidied up. done: nothing left to do. refused: surely not done. unknown: nobody can tell, until the
 * person says whether it was done: accepted, or refused.
 */
export type IntentState = 'intended' | 'consumed' | 'accepted' | 'refused' | 'unknown' | 'done'

export interface Intent {
  readonly taskId: TaskId
  readonly generation: number
  readonly fileName: string
  readonly state: IntentState
  readonly digest: string
  /** By what the provider is asked for it: for a mail its Message-ID. */
  readonly key: string
  readonly receipt: Receipt
  /** The exact action as JSON, so that what was sent can be rebuilt byte for byte; gone once `done`, but for payments. */
  readonly action: string | undefined
  /** What the provider answered, or why it was refused or is unknown. */
  readonly answer: string | undefined
  /** Where what was done can be looked at. */
  readonly link: string | undefined
  /** What else the finished task's `outcome` tells. */
  readonly facts: OutcomeFacts | undefined
  readonly intendedAt: number
  readonly updatedAt: number
}

export type ConsumeVerdict =
  | { readonly kind: 'consumed'; readonly key: string; readonly intendedAt: number }
  /** `no-intent`: the executor never meant to use this receipt. `spent`: its use, or the task's, is over. */
  | { readonly kind: 'refused'; readonly rule: 'no-intent' | 'spent' }

/** Why a task goes back before the person; kept until the card that says so is written. */
export interface SentBack {
  readonly fileName: string
  /** The task, unless its file is too broken to tell. */
  readonly taskId: TaskId | undefined
  readonly rule: string
  /** For the person, in plain words. */
  readonly say: string
  /** The least generation under which it may be approved again: past every use that was made of it. */
  readonly generation: number
  readonly at: number
}

/** A review sheet as it was written: what a tick in it stands for. */
export interface WrittenReview {
  /** `reviewDigest` of its text. */
  readonly digest: string
  readonly items: readonly ReviewedItem[]
}

export interface ReviewedItem {
  readonly taskId: TaskId
  /** Where its file waited. */
  readonly path: string
  readonly title: string
  /** `Presentation.shown` of the card that the sheet was made from. */
  readonly shown: string
}

/** Why a file is left where it stands. */
export interface LeftAlone {
  readonly rule: string
  readonly say: string
}

/** A note from Updates/<agent>/, kept after the file is merged away. */
export interface KeptUpdate {
  readonly agent: string
  readonly name: string
  readonly text: string
}

/**
 * The executor's memory, on disk (fsync) when a call returns. Fencing: each executor takes the next epoch when it opens
 * the journal, every writing call checks in its own transaction that this epoch is still the newest, and throws
 * ERR_FENCED otherwise: a process that was frozen and wakes up late changes nothing. Other failures: ERR_JOURNAL_FAILED.
 */
export interface JournalPort extends Disposable {
  readonly epoch: number
  /** When this journal was made: of what was done before, it knows nothing. */
  readonly bornAt: number
  /** The last time that this journal was found to be older than what was done. */
  readonly restored: Restored | undefined
  isNewest(): boolean

  /** Whether this task was shown or approved before the last restore, and has not been shown anew since. */
  isFromBeforeRestore(taskId: TaskId): boolean
  /** True once for each restore, for the ledger. */
  isRestoreUntold(): boolean
  restoreTold(): void

  presentation(taskId: TaskId): Presentation | undefined
  presentations(): Presentation[]
  /**
   * Before the card is written, which nobody can have decided on yet: whoever dies in between has lost no decision.
   * `draft`: remembered in the same step.
   */
  presenting(presentation: Omit<Presentation, 'stands'>, draft?: DraftMemory): void
  /** After the card is written: it stands, and the reason it was sent back for (it is on the card) goes. */
  present(presentation: Omit<Presentation, 'stands'>): void
  /** What was presented in this file stands no more, until it is presented again. */
  unpresent(fileName: string): void
  /** After Redraft, Reject or execution: nothing is known of a card any more. */
  withdraw(taskId: TaskId): void

  draftMemory(taskId: TaskId): DraftMemory | undefined
  /** The 500 tasks that were remembered last stay. */
  rememberDraft(draft: DraftMemory): void
  /** The task is done, or will never be. */
  forgetDraft(taskId: TaskId): void

  /** What was presented stands no more, in the same step. The newest reason and the highest generation stand. */
  sendBack(back: SentBack): void
  sentBack(fileName: string): SentBack | undefined

  freezes(): Freeze[]
  freezeOf(taskId: TaskId): Freeze | undefined
  freeze(freeze: Freeze): void
  unfreeze(taskId: TaskId): void

  intentOf(taskId: TaskId, generation: number): Intent | undefined
  /** Of the highest generation. */
  lastIntentOf(taskId: TaskId): Intent | undefined
  intentsIn(state: IntentState): Intent[]
  /** Writes or renews an intent that was not used yet. Throws ERR_JOURNAL_FAILED when it was. */
  intend(
    intent: Omit<Intent, 'state' | 'answer' | 'link' | 'facts' | 'updatedAt' | 'action'> & { readonly action: string },
  ): void
  /** The one use: true exactly once for a receipt, and for a task until the outcome is `refused`. */
  consume(receipt: Receipt, now: number): ConsumeVerdict
  /** consumed → accepted | refused | unknown, accepted → done. Throws ERR_JOURNAL_FAILED for any other step. */
  settle(
    taskId: TaskId,
    generation: number,
    outcome: {
      readonly state: 'accepted' | 'refused' | 'unknown' | 'done'
      readonly answer?: string
      readonly link?: string
      readonly facts?: OutcomeFacts
      readonly at: number
    },
  ): void
  /**
   * The person's word on an outcome that nobody could tell: unknown → accepted | refused. In the same step the task is
   * frozen again, so that it goes on as after any other answer. False when its outcome is not unknown (any more).
   */
  resolve(
    taskId: TaskId,
    word: { readonly state: 'accepted' | 'refused'; readonly answer: string; readonly at: number },
  ): boolean
  /** What became of the task's one use; `spent` also when this very generation of it is used up. */
  useOf(taskId: TaskId, generation: number): Use

  /** What is known of a use that is in doubt: why its outcome is not, for the person. Nothing once it is settled. */
  noteDoubt(taskId: TaskId, generation: number, answer: string): void
  /** What was paid, or may have been, and is not known to have been refused; oldest first, with its action. */
  payments(): Intent[]
  /** Changes whenever `payments` may have. */
  paymentCount(): string

  /** By which tools something was done, or may have been, after this moment, and when. */
  usesSince(at: number): { readonly tool: string; readonly at: number }[]

  /** To whom something was sent, each address once. */
  rememberRecipients(addresses: readonly string[], at: number): void
  /** Grows with every new one. */
  recipientCount(): number
  recipients(): string[]

  /** Before the sheet is written: its ticks count from the moment they can be set. The two newest stay. */
  keepReview(review: WrittenReview): void
  reviewOf(digest: string): WrittenReview | undefined

  /** Files that are left where they stand, by path; kept so that each is told once. */
  leftAlone(): ReadonlyMap<string, LeftAlone>
  /** `undefined`: the reason is over. */
  setLeftAlone(path: string, why: LeftAlone | undefined): void

  /** Keeps a note once, by its name; the newest 200 stay. */
  keepUpdate(update: KeptUpdate): void
  /** Newest first. */
  updates(limit: number): KeptUpdate[]
}
