/** What a clone's process is started with, as JSON in its one argument. */
export interface CloneSetup {
  readonly agent: string
  /** Holds the clone's vault, state and repository. */
  readonly dir: string
  readonly hubUrl: string
  readonly keys: string
  readonly trust: string
  /** Every claim that it was told to have won goes here. */
  readonly toldFile: string
  /** Once this file exists, the process ends when it has nothing left to do. */
  readonly stopFile: string
  /** One in so many tasks is given back at its first claim; 0: none. */
  readonly giveBackOneIn: number
  readonly claimsPerPush: number
  /** Others of the zone are let have their turn. */
  readonly isCourteous: boolean
}

/** A test that was killed leaves no agents behind that go on fighting. */
export function endWithParent(): void {
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1)
  }, 1_000).unref()
}
