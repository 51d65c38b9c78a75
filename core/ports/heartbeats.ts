/** Something an agent signed. Whose key that was is proven; what it says is not. */
export interface SignedText {
  /** Another one each time, whatever it says. */
  readonly id: string
  readonly text: string
}

/** So far ahead of this machine's clock is another one, at least and at most, ms. */
export interface ClockBounds {
  readonly leastMs: number
  readonly mostMs: number
}

/** The agents' heartbeats at the hub: one ref for each, outside of the vault and its history. Away: `unreachable`. */
export interface HeartbeatsPort extends AsyncDisposable {
  /** Puts this agent's newest there in place of the last one. */
  send(
    text: string,
  ): Promise<
    { readonly kind: 'sent'; readonly clock?: ClockBounds } | { readonly kind: 'unreachable'; readonly reason: string }
  >
  /** The newest of each other agent, by the name of its ref; only those that this very agent has signed. */
  read(): Promise<
    | { readonly kind: 'read'; readonly beats: ReadonlyMap<string, SignedText> }
    | { readonly kind: 'unreachable'; readonly reason: string }
  >
}
