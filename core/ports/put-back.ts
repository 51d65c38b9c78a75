import type { Zone } from '../zone-policy.ts'

/** What is left to do when everything is fetched and looked at. */
export type PutBackPlan = {
  readonly snapshot: string
  readonly zone: Zone
  readonly agent: string
  /** When the backup was made, and when it is put back. */
  readonly made: string
  readonly at: string
  /** Where in the home goes what was there. */
  readonly aside: string
  /** Entries of the home that go there. */
  readonly old: readonly string[]
}

/** A backup on its way into a zone home. */
export interface PutBack {
  /** The folder for what is fetched. */
  readonly zoneFolder: string
  /** A restore that was interrupted after everything was fetched: it is to be finished. */
  plan(): Promise<PutBackPlan | undefined>
  /** Empties the folder. */
  begin(): Promise<void>
  /** From here on the restore is finished, however often it is interrupted. */
  commit(plan: Omit<PutBackPlan, 'old' | 'aside'>): Promise<PutBackPlan>
  /** Puts aside what was there, and in its place what was fetched; each step is one rename. May be repeated. */
  finish(plan: PutBackPlan): Promise<void>
  abandon(): Promise<void>
}
