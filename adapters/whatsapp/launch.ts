import type { ClientOptions as LibraryOptions } from 'whatsapp-web.js'
import { messageOf } from '#core/errors.ts'
import type { SessionEnd } from '#core/whatsapp-session.ts'
import type { ClientOptions } from './client-types.ts'

const PAGE_MS = 60_000
const BLOCKED: ReadonlySet<string> = new Set(['TOS_BLOCK', 'SMB_TOS_BLOCK', 'PROXYBLOCK', 'DEPRECATED_VERSION'])

/** How the library brings up page and browser. */
export function launchOptions(
  options: ClientOptions,
): Pick<LibraryOptions, 'webVersion' | 'webVersionCache' | 'puppeteer'> {
  return {
    ...(options.standIn
      ? {
          webVersion: options.standIn.version,
          webVersionCache: { type: 'local', path: options.standIn.path, strict: true },
        }
      : { webVersionCache: { type: 'none' } }),
    puppeteer: {
      executablePath: options.chromium,
      headless: true,
      // A pipe, not a port: nobody else can speak to it, and the browser ends when this process does.
      pipe: true,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      protocolTimeout: PAGE_MS,
      args: [
        ...(options.hasSandbox ? [] : ['--no-sandbox']),
        // A page from the web may not ask a server on this machine; the one that stands in must.
        ...(options.standIn ? ['--disable-features=LocalNetworkAccessChecks'] : []),
        ...['--disable-dev-shm-usage', '--disable-extensions', '--disable-sync', '--no-first-run', '--disable-gpu'],
      ],
    },
  }
}

/** Whether the page says that the session is not to be used, and why it is over. */
export function isRefused(state: string): boolean {
  return state === 'CONFLICT' || BLOCKED.has(state)
}

/** What the reason of the library means. */
export function endOf(reason: string): [SessionEnd, string] {
  if (reason === 'CONFLICT') return ['conflict', 'it was opened somewhere else']
  if (BLOCKED.has(reason)) return ['blocked', reason]
  if (reason === 'LOGOUT' || reason === 'UNPAIRED' || reason === 'UNPAIRED_IDLE')
    return ['logged-out', 'the telephone took the link away']
  return /retries reached/i.test(reason) ? ['unscanned', 'nobody scanned the code'] : ['lost', reason.slice(0, 100)]
}

/** One line without addresses; the library also throws plain strings. */
export function reasonOf(error: unknown): string {
  return messageOf(error).split('\n')[0]?.slice(0, 200) ?? 'no reason given'
}
