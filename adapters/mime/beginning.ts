/** A file of 12 MiB as base64 has fewer lines; each costs the parser time, which nothing else gets meanwhile. */
export const MAX_LINES = 200_000

/** So much of a message as can be parsed in a second or two. */
export function beginningOf(source: Uint8Array): Uint8Array {
  let lines = 0
  for (let end = source.indexOf(10); end >= 0; end = source.indexOf(10, end + 1))
    if (++lines === MAX_LINES) return source.subarray(0, end + 1)
  return source
}
