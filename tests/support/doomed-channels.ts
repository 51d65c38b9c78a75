import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDevMailServers } from '../../demo/mailbox/dev-servers.ts'
import { startCountingSmtp } from './counting-smtp.ts'
import type { DoomedChannel } from './doomed-executor.ts'
import { makeDraft } from './executor.ts'
import { makePostDraft } from './social/draft.ts'
import { startMastodon } from './social/mastodon.ts'

export const mailChannel: DoomedChannel = {
  name: 'mail',
  isFoundAfterwards: false,
  draft: () => ({ domain: 'email', ...makeDraft() }),
  async openServers() {
    const closing = new AsyncDisposableStack()
    const mailbox = closing.use(await startDevMailServers())
    const { smtp, mails, holdAnswers } = closing.use(await startCountingSmtp())
    return {
      mailbox: { ...mailbox, smtp },
      env: {},
      effects: () => mails.length,
      holdAnswers,
      [Symbol.asyncDispose]: () => closing.disposeAsync(),
    }
  },
}

const postChannel: DoomedChannel = {
  name: 'post',
  isFoundAfterwards: true,
  draft() {
    const action = { network: 'mastodon', account: '@owner@social.example' }
    return { domain: 'social', ...makePostDraft(action, 'We are open on Monday.', { atMs: Date.now() }) }
  },
  async openServers() {
    const closing = new AsyncDisposableStack()
    const mailbox = closing.use(await startDevMailServers())
    const mastodon = closing.use(await startMastodon('token'))
    const secrets = mkdtempSync(join(tmpdir(), 'countersign-social-'))
    closing.defer(() => rmSync(secrets, { recursive: true }))
    writeFileSync(join(secrets, 'mastodon'), 'token', { mode: 0o600 })
    const isPost = ({ method, path }: { method: string; path: string }) =>
      method === 'POST' && path === '/api/v1/statuses'
    return {
      mailbox,
      env: {
        COUNTERSIGN_SOCIAL_ACCOUNTS: `mastodon:${mastodon.account}`,
        COUNTERSIGN_SOCIAL_SECRETS: secrets,
        COUNTERSIGN_MASTODON_URL: mastodon.url,
      },
      // Each request counts, though the network itself would make one post of two with the same key.
      effects: () => mastodon.received.filter(isPost).length,
      holdAnswers() {
        const { promise, resolve } = Promise.withResolvers<void>()
        const { reply } = mastodon
        mastodon.reply = async (request) => {
          const answer = await reply(request)
          if (isPost(request)) await promise
          return answer
        }
        return resolve
      },
      [Symbol.asyncDispose]: () => closing.disposeAsync(),
    }
  },
}

/** Every way to act there is. */
export const CHANNELS: readonly DoomedChannel[] = [mailChannel, postChannel]
