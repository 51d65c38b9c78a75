import type { Action } from '#core/action.ts'
import type { PublishOutcome, SocialNetwork } from '#core/ports/social-network.ts'
import type { VaultPort } from '#core/ports/vault.ts'
import type { Report } from '#core/report.ts'
import { createPostSchema, postOf, publishPostSchema, type SocialAction } from '#core/social-action.ts'
import { readImages } from '#core/social-image.ts'
import { NETWORK_NAMES } from '#core/social-text.ts'
import { type ActingDeps, type ActingTool, refused, registerActingTool } from '../../shared/acting-tool.ts'
import type { SocialTool } from '../server.ts'

export interface PostingDeps extends ActingDeps {
  /** One for each account of this machine. */
  readonly networks: readonly SocialNetwork[]
  /** Where the images of a post stand. */
  readonly vault: Pick<VaultPort, 'readBytes'>
}

/** `publish_post`: publishes one approved post now. */
export function publishPost(deps: PostingDeps): SocialTool {
  return (server) =>
    registerActingTool(
      server,
      {
        name: 'publish_post',
        title: 'Publish an approved post',
        description: 'Publishes a post that the person approved in the vault of this machine.',
        schema: publishPostSchema,
        whenUnprepared: 'ERR_SOCIAL_REFUSED',
        prepare: posting(deps),
      },
      deps,
    )
}

/** `create_post`: hands one approved post to a network that publishes it by itself at its time. */
export function createPost(deps: PostingDeps): SocialTool {
  return (server) =>
    registerActingTool(
      server,
      {
        name: 'create_post',
        title: 'Hand over an approved post',
        description:
          'Hands a post that the person approved in the vault of this machine to a network which keeps it and publishes it at its time.',
        schema: createPostSchema,
        whenUnprepared: 'ERR_SOCIAL_REFUSED',
        prepare: posting(deps),
      },
      deps,
    )
}

function posting({ networks, vault }: PostingDeps): ActingTool<SocialAction & Action>['prepare'] {
  return async (action, { key, intendedAt }) => {
    const { network, account } = action
    const here = networks.find((one) => one.network === network && one.account === account)
    if (!here)
      return async () => refused('ERR_SOCIAL_REFUSED', `${NETWORK_NAMES[network]} ${account} is not set up here`)
    const images = await readImages(action.images ?? [], (path, maxBytes) => vault.readBytes(path, maxBytes))
    const post = postOf(action, images)
    return async () => reportOf(await here.publish(post, { key, since: intendedAt }), action, key)
  }
}

function reportOf(outcome: PublishOutcome, { network, account }: SocialAction, key: string): Report {
  const where = `${NETWORK_NAMES[network]} ${account}`
  switch (outcome.kind) {
    case 'accepted': {
      const link = outcome.link === undefined ? {} : { link: outcome.link }
      return { outcome: 'accepted', key, answer: `${where}: post ${outcome.id}`, missed: [], ...link }
    }
    case 'refused':
      return refused(outcome.permanent ? 'ERR_SOCIAL_REFUSED' : 'ERR_SOCIAL_UNREACHABLE', `${where}: ${outcome.say}`)
    case 'unknown':
      return { outcome: 'unknown', key, code: 'ERR_OUTCOME_UNKNOWN', reason: `${where}: ${outcome.reason}` }
  }
}
