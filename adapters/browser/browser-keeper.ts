import { setTimeout as delay } from 'node:timers/promises'
import { BrowserFault } from './browser-fault.ts'
import type { BrowserPage } from './browser-page.ts'

export interface BrowserKeeper extends AsyncDisposable {
  /**
   * Lets one at a time work with the browser. It is closed afterwards, or stays as long as the work's answer says (ms;
   * Infinity: until the end), and closed at once when the work failed. Throws what the work throws, and a BrowserFault.
   */
  use<T>(work: (page: BrowserPage) => Promise<{ readonly result: T; readonly keepMs: number }>): Promise<T>
}

/** A browser that was killed lets go of its profile only after a while. */
const IN_USE_MS = 15_000
const MAX_TRIES = 3

export function browserKeeper(open: () => Promise<BrowserPage>): BrowserKeeper {
  let kept: BrowserPage | undefined
  let closing: NodeJS.Timeout | undefined
  let turn: Promise<unknown> = Promise.resolve()

  async function close(): Promise<void> {
    clearTimeout(closing)
    const page = kept
    kept = undefined
    await page?.[Symbol.asyncDispose]()
  }
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const mine = turn.then(act)
    turn = mine.catch(() => {})
    return mine
  }
  return {
    use: (work) =>
      inTurn(async () => {
        clearTimeout(closing)
        kept ??= await open()
        let keepMs = 0
        try {
          const done = await work(kept)
          keepMs = done.keepMs
          return done.result
        } finally {
          if (keepMs === 0) await close()
          else if (Number.isFinite(keepMs)) closing = setTimeout(() => void inTurn(close), keepMs).unref()
        }
      }),
    [Symbol.asyncDispose]: () => inTurn(close),
  }
}

/** Opens an address that is only looked at: again while a browser that just ended holds the profile, or the network fails. */
export async function openPatiently(page: BrowserPage, address: string): Promise<void> {
  const begin = performance.now()
  for (let failed = 0; ; await delay(1_000)) {
    try {
      return await page.open(address)
    } catch (error) {
      const kind = error instanceof BrowserFault ? error.kind : undefined
      const mayWait = kind === 'in-use' && performance.now() - begin < IN_USE_MS
      if (!mayWait && !(kind === 'unreachable' && ++failed < MAX_TRIES)) throw error
    }
  }
}
