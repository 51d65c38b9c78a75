import type { Reach } from '../egress-reach.ts'

export interface EgressOptions {
  /** Everything that can be reached; nothing else can. */
  readonly reach: readonly Reach[]
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** All addresses of a name. */
  readonly lookup?: (name: string) => Promise<readonly string[]>
  /** Connections at once, of both sides. */
  readonly maxConnections?: number
  /** A tunnel through which nothing went for so long is closed. */
  readonly idleMs?: number
  /** Called for each thing that was refused, with what was asked for, shortened; `isFirst`: not for the same before. */
  readonly onRefused?: (asked: string, isFirst: boolean) => void
  /** Called for each tunnel that was asked for and allowed. */
  readonly onAllowed?: (outcome: 'opened' | 'unreachable') => void
}

export interface Egress extends AsyncDisposable {
  readonly port: number
}

/** Starts a way out that leads to these places and to no others. Throws ERR_CONFIG_INVALID when it cannot listen. */
export type StartEgress = (options: EgressOptions) => Promise<Egress>
