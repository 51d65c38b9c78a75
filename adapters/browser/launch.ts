import { mkdir, realpath, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { isAbsolute, join, relative, sep } from 'node:path'
import { CountersignError } from '#core/errors.ts'

/** A browser of this machine, with a profile of its own. */
export interface LocalBrowser {
  readonly kind: 'child'
  /** Chromium's program. */
  readonly executable: string
  /** The zone's state: the profile and what the browser writes lie in `browser/` below it. */
  readonly stateDir: string
  /** `host:port` of the allow-list proxy; there is no way round it. */
  readonly proxy: string
  /** A window that the person sees and uses; else it has none. */
  readonly isShown: boolean
  /** Chromium's own sandbox; off only where the user is root, or a container takes its place. */
  readonly hasSandbox: boolean
  /** Public keys (SHA-256, base64) of certificates that nobody vouches for; for tests. */
  readonly trustedKeys?: readonly string[]
}

const WIDTH = 1100
const HEIGHT = 900

/**
 * The server's settings: one profile, everything through the proxy, and nothing that a page could leave by. Also what
 * deploy/container/browser.json has (a test compares).
 */
export function browserSettings(options: {
  readonly executable: string
  readonly profile: string
  readonly output: string
  readonly proxy: string
  readonly isShown: boolean
  readonly hasSandbox: boolean
  readonly trustedKeys?: readonly string[] | undefined
}) {
  const keys = options.trustedKeys ?? []
  return {
    browser: {
      browserName: 'chromium',
      userDataDir: options.profile,
      launchOptions: {
        headless: !options.isShown,
        chromiumSandbox: options.hasSandbox,
        executablePath: options.executable,
        // Loopback goes through it, too: Playwright sees to that.
        proxy: { server: `http://${options.proxy}` },
        args: [
          // Names are the proxy's to look up: what asks for one here asks in vain.
          `--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE ${options.proxy.replace(/:\d+$/, '')}`,
          // Calls between browsers (WebRTC) know no proxy otherwise.
          '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
          '--disable-quic',
          '--disable-dev-shm-usage',
          ...(keys.length === 0 ? [] : [`--ignore-certificate-errors-spki-list=${keys.join(',')}`]),
        ],
      },
      contextOptions: {
        viewport: { width: WIDTH, height: HEIGHT },
        acceptDownloads: false,
        serviceWorkers: 'block',
        permissions: [],
      },
    },
    outputDir: options.output,
    codegen: 'none',
    snapshot: { mode: 'none' },
    timeouts: { action: 5_000, navigation: 15_000 },
    webmcp: false,
  }
}

/** Throws ERR_CONFIG_INVALID when the browser's profile would lie in the vault, by whatever links. */
export async function requireOutside(vault: string, stateDir: string): Promise<void> {
  const [inner, outer] = await Promise.all([realpath(stateDir), realpath(vault)])
  const way = relative(outer, inner)
  if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) return
  throw new CountersignError(
    'ERR_CONFIG_INVALID',
    `the browser’s profile would lie in the vault (${inner}), and the session at your bank with it; COUNTERSIGN_STATE has to be outside of COUNTERSIGN_VAULT`,
  )
}

/** Writes the settings, and gives the command that starts the server. Throws when the package is not installed. */
export async function launchCommand(browser: LocalBrowser): Promise<{ command: string; args: string[] }> {
  const folder = join(browser.stateDir, 'browser')
  const output = join(folder, 'out')
  // What the server writes by itself holds text of pages.
  await rm(output, { recursive: true, force: true })
  await mkdir(join(folder, 'profile'), { recursive: true, mode: 0o700 })
  await mkdir(output, { mode: 0o700 })
  const settings = browserSettings({ ...browser, profile: join(folder, 'profile'), output })
  const file = join(folder, 'settings.json')
  await writeFile(file, JSON.stringify(settings, undefined, 2), { mode: 0o600 })
  const server = createRequire(import.meta.url).resolve('@playwright/mcp/package.json')
  return {
    command: process.execPath,
    args: [join(server, '../cli.js'), '--config', file, '--no-webmcp', '--idle-timeout', '0'],
  }
}
