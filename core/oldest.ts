/**
 * Since when the longest waiting of some things has been waiting: each is known from the call on in which it is named
 * first, and forgotten in the first that does not name it. Undefined when none waits. Times are ms.
 */
export function oldestWaiting(): (names: Iterable<string>, nowMs: number) => number | undefined {
  let since = new Map<string, number>()
  return (names, nowMs) => {
    since = new Map([...names].map((name) => [name, since.get(name) ?? nowMs]))
    return since.size === 0 ? undefined : Math.min(...since.values())
  }
}
