import { mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import { isInside } from '#core/inside.ts'

/** A browser of this machine, with a profile of its own. */
export interface LocalBrowser {
  readonly kind: 'child'
  /** Chromium's program. */
  readonly executable: string
  /** The browser's own: its profile lies in it, and what it writes. */
  readonly folder: string
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
 * The server's settings: one profile, everything through the proxy, and nothing that a page could leave by.
 */
function browserSettings(options: {
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
    timeouts: { action: 5_000, navigation: 15_000, settle: 200 },
    webmcp: false,
  }
}

/** Throws ERR_CONFIG_INVALID when a folder lies in the vault, by whatever links. `what`: how the sentence begins. */
export async function requireOutside(vault: string, folder: string, what: string): Promise<void> {
  const [inner, outer] = await Promise.all([realpath(folder), realpath(vault)])
  if (isInside(outer, inner))
    throw new CountersignError('ERR_CONFIG_INVALID', `${what} in the vault (${inner}); it has to be outside of it`)
}

/** Makes the profile ready, writes the settings, and gives the command that starts the server. Throws when the package is not installed. */
export async function launchCommand(browser: LocalBrowser): Promise<{ command: string; args: string[] }> {
  const { folder } = browser
  const output = join(folder, 'out')
  // What the server writes by itself holds text of pages.
  await rm(output, { recursive: true, force: true })
  await prepareProfile(join(folder, 'profile'))
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

/**
 * A profile that keeps its session from one start to the next, as most banks' logins end with the browser otherwise; the
 * windows that were open do not come back with it.
 */
async function prepareProfile(profile: string): Promise<void> {
  const folder = join(profile, 'Default')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await rm(join(folder, 'Sessions'), { recursive: true, force: true })
  const file = join(folder, 'Preferences')
  const kept = await readFile(file, 'utf8').then(objectOf, (): Record<string, unknown> => ({}))
  for (const [name, ours] of Object.entries(PREFERENCES))
    kept[name] = typeof ours === 'object' ? { ...asObject(kept[name]), ...ours } : ours
  await writeFile(file, JSON.stringify(kept), { mode: 0o600 })
}

const PREFERENCES = {
  // No password is ever kept, and nothing of a form.
  credentials_enable_service: false,
  profile: { password_manager_enabled: false, password_manager_leak_detection: false },
  autofill: { enabled: false, profile_enabled: false, credit_card_enabled: false },
  session: { restore_on_startup: 1 },
  // Calls between browsers (WebRTC) know no proxy otherwise; Chromium's switch of that name does nothing here.
  webrtc: {
    ip_handling_policy: 'disable_non_proxied_udp',
    multiple_routes_enabled: false,
    nonproxied_udp_enabled: false,
  },
}

function objectOf(text: string): Record<string, unknown> {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return {}
  }
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
