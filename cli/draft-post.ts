import { randomBytes } from 'node:crypto'
import { basename } from 'node:path'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { type Action, readAction } from '#core/action.ts'
import { withHistory } from '#core/claim.ts'
import { CountersignError } from '#core/errors.ts'
import { makeTaskId } from '#core/ids.ts'
import { plainMarkdown } from '#core/quote.ts'
import { socialAccountList } from '#core/social-accounts.ts'
import { type DescribedImage, describeImage } from '#core/social-image.ts'
import { NETWORK_NAMES, NETWORKS, type Network } from '#core/social-text.ts'
import { newTaskFile, renderSection, renderTaskFile } from '#core/task-file.ts'
import { taskFileName, taskPath, type VaultPath, vaultPath } from '#core/vault-path.ts'
import { readWhole } from './read-whole.ts'
import { environmentOf, type ZoneHome } from './zone-home.ts'

export interface OwnPost {
  readonly network: string
  readonly text: string
  readonly title?: string | undefined
  readonly notBefore?: string | undefined
  readonly publishAt?: string | undefined
  /** Files; for Instagram one address. */
  readonly image?: readonly string[] | undefined
  /** What each shows. */
  readonly alt?: readonly string[] | undefined
}

/**
 * Puts a post of the person's own into Pending_Approval/social, where it gets its card like any other draft. Throws
 * ERR_ZONE_FORBIDDEN in the cloud, ERR_USAGE for what could never be approved: nothing is written then.
 */
export async function draftOwnPost(
  home: ZoneHome,
  post: OwnPost,
  nowMs: number,
): Promise<{ path: VaultPath; action: Action }> {
  if (home.zone !== 'local')
    throw new CountersignError(
      'ERR_ZONE_FORBIDDEN',
      `a post of your own in the ${home.zone} zone: drafts there are for agents`,
    )
  const { network, account } = accountFor(home, post.network)
  const images = await imagesOf(network, post)
  const at = new Date(nowMs).toISOString()
  const id = makeTaskId(nowMs, randomBytes(10))
  const title = plainMarkdown(post.title ?? post.text, 80)
  const draft = newTaskFile(
    {
      ...{ id, schema: '1', kind: 'POST', domain: 'social', title, created: at, generation: '1' },
      drafted: { by: 'you', model: 'none', at, cost_usd: '0' },
      action: {
        tool: post.publishAt === undefined ? 'social.publish_post' : 'social.create_post',
        ...{ network, account },
        ...(post.publishAt !== undefined && { publish_at: post.publishAt }),
        ...(post.notBefore !== undefined && { not_before: post.notBefore }),
        ...('address' in images
          ? images.address
          : images.files.length > 0 && { images: images.files.map(({ image }) => image) }),
      },
    },
    `# ${title}\n\n${renderSection('draft', post.text.trim())}\n`,
  )
  const place = { kind: 'pending', domain: 'social' } as const
  const task = withHistory(draft, 'Pending_Approval/social', 'person', at)
  const verdict = readAction(task)
  if (!verdict.ok) throw new CountersignError('ERR_USAGE', `post ${network}: ${verdict.problem}`)
  const path = taskPath(
    place,
    taskFileName({ kind: 'POST', dayIso: at.slice(0, 10), title: post.title ?? post.text, id }),
  )
  const vault = await openVault(home.vault)
  // First what the task names, so that no card is ever without it.
  if ('files' in images) for (const { image, bytes } of images.files) await vault.create(vaultPath(image.path), bytes)
  await vault.create(path, renderTaskFile(task))
  return { path, action: verdict.action }
}

type Images =
  | { readonly files: readonly { readonly image: DescribedImage; readonly bytes: Uint8Array }[] }
  | { readonly address: { readonly image?: string; readonly alt_text?: string } }

async function imagesOf(network: Network, { image = [], alt = [] }: OwnPost): Promise<Images> {
  if (image.length !== alt.length)
    throw new CountersignError('ERR_USAGE', `post ${network}: ${image.length} --image, ${alt.length} --alt`)
  if (network === 'instagram') {
    if (image.length > 1) throw new CountersignError('ERR_USAGE', 'post instagram: one image a post')
    return { address: { ...(image[0] && { image: image[0] }), ...(alt[0] && { alt_text: alt[0] }) } }
  }
  const files = []
  for (const [index, file] of image.entries()) {
    const bytes = await readWhole(file)
    const name = basename(file).normalize('NFC')
    files.push({ image: describeImage(name, bytes, alt[index] ?? ''), bytes })
  }
  return { files }
}

function accountFor(home: ZoneHome, wanted: string): { network: Network; account: string } {
  const network = NETWORKS.find((one) => one === wanted)
  if (!network) throw new CountersignError('ERR_USAGE', `post ${wanted}: a network is one of ${NETWORKS.join(', ')}`)
  const accounts = socialAccountList.safeParse(environmentOf(home).COUNTERSIGN_SOCIAL_ACCOUNTS)
  const account = accounts.data?.find((one) => one.network === network)
  if (!account)
    throw new CountersignError(
      'ERR_USAGE',
      `post ${wanted}: no account of ${NETWORK_NAMES[network]} in COUNTERSIGN_SOCIAL_ACCOUNTS`,
    )
  return account
}
