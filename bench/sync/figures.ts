import type { Shape } from './populate.ts'
import type { Trace } from './traced.ts'

/** One contender on one vault: what each change took, ms. */
export interface Run {
  readonly shape: Shape
  readonly contender: Contender
  readonly toDiskMs: readonly number[]
  readonly toHubMs: readonly number[]
  /** Processor time that a change cost altogether, both sides and the hub, what runs between two changes included. */
  readonly cpuMs: number
  /** The machine's load average when it ended. */
  readonly load: number
}
export type Contender =
  | 'countersign'
  | 'plumbing with the gate'
  | 'plumbing without hooks'
  | 'plain script'
  | 'syncthing'
  | 'countersign, far'
  | 'plumbing with the gate, far'

export interface Idle {
  readonly shape: Shape
  readonly seconds: number
  /** Percent of one core: a service with its ssh, and the hub's sshd with all it starts for both zones. */
  readonly cloudCpu: number
  readonly localCpu: number
  readonly hubCpu: number
  readonly memory: { readonly rss: number; readonly pss: number }
  readonly load: number
}

export interface Figures {
  readonly versions: string[]
  readonly runs: Run[]
  readonly starts: { readonly shape: Shape; readonly readyMs: readonly number[] }[]
  readonly idle: Idle[]
  readonly traces: { readonly side: string; readonly changes: number; readonly trace: Trace }[]
  readonly bursts: { readonly shape: Shape; readonly files: number; readonly ms: number; readonly load: number }[]
  readonly clones: { readonly shape: Shape; readonly ms: number; readonly load: number }[]
  /** What was left out, and why. */
  readonly notes: string[]
}
