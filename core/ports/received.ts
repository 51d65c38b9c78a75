/**
 * What came from elsewhere: how often sync has written bytes of the hub under a task file's name in this work tree.
 * The number only grows. It is how the executor knows that a file is no longer what it put before the person: nothing
 * *in* a file can tell, since whoever wrote it can copy every mark of ours.
 */
export interface ReceivedPort {
  count(fileName: string): number
  /** Sync, before it writes: on disk when it returns. A crash afterwards only makes the executor show the file anew. */
  note(fileName: string): void
}
