/** Wall clock in milliseconds since the epoch. Core never reads one itself. */
export interface Clock {
  now(): number
}
