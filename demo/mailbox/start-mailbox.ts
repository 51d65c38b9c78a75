import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { startMailContainer } from './container.ts'
import { startDevMailServers } from './dev-servers.ts'
import type { Mailbox, MailboxOptions } from './mailbox.ts'

/** Whoever waits longer for a demonstration is better served by the development servers. */
const BUILD_LIMIT_MS = 120_000

/** Starts a mail system; disposing it leaves nothing behind. */
export async function startMailbox(options: MailboxOptions = {}): Promise<Mailbox> {
  const { kind = 'auto', say = () => {} } = options
  if (kind === 'dev') return startDevMailServers()
  if (kind === 'container') return startMailContainer(options)
  if (!(await isDockerAnswering())) return startDevMailServers()
  try {
    return await startMailContainer({ buildLimitMs: BUILD_LIMIT_MS, ...options })
  } catch (error) {
    say(`no mail server in a container (${(error as Error).message}); using development mail servers instead`)
    return startDevMailServers()
  }
}

async function isDockerAnswering(): Promise<boolean> {
  try {
    await promisify(execFile)('docker', ['info'], { timeout: 3_000 })
    return true
  } catch {
    return false
  }
}
