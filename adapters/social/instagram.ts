import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Found, PublishOutcome, SocialNetwork, SocialPost } from '#core/ports/social-network.ts'
import { bearer, endpointOf, requireSame, type SocialAccount } from './account.ts'
import { GRAPH_VERSION, graphId, graphNotDone, paging } from './graph.ts'
import { ask, type HttpAnswer, look, lookIfAllowed, readAs } from './http.ts'
import { findAmong, MAY_NOT_LOOK, type OwnPost } from './scan.ts'
import { nothing, type Refused } from './upload.ts'

const LISTED = 50

const container = z.object({ status_code: z.string(), status: z.string().optional() })
const permalink = z.object({ permalink: z.string() })
const media = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      caption: z.string().default(''),
      timestamp: z.string(),
      permalink: z.string().optional(),
    }),
  ),
  paging,
})

/**
 * An Instagram business account, by its id. Two steps: a container, which nobody sees and which expires by itself, for
 * which Instagram fetches the image; then its publication, the only step whose outcome can be unknown.
 */
export function instagram(account: SocialAccount): SocialNetwork {
  const endpoint = endpointOf('Instagram', account)
  const now = () => account.clock.now()
  const path = (edge: string) => `/${GRAPH_VERSION}/${edge}`
  const get = (edge: string, fields: string) =>
    look(endpoint, { path: path(edge), query: { fields }, headers: bearer(account) })
  const post = (edge: string, json: unknown) =>
    ask(endpoint, { method: 'POST', path: path(`${account.account}/${edge}`), headers: bearer(account), json })

  const prepare = async (wanted: SocialPost): Promise<{ id: string } | Refused> => {
    if (!wanted.image) return { kind: 'refused', permanent: true, say: 'Instagram takes no post without an image' }
    const { url, altText } = wanted.image
    const answer = await post('media', { image_url: url, caption: wanted.text, alt_text: altText })
    const id = idIn(answer)
    if (id !== undefined) return { id }
    const failed = graphNotDone(answer, now())
    return failed.kind === 'refused' ? failed : nothing(failed.reason)
  }
  const waitFor = async (id: string): Promise<Refused | undefined> => {
    const { tries, pauseMs } = account.patience ?? { tries: 30, pauseMs: 2_000 }
    const until = now() + tries * pauseMs
    // Each question may take its own time; together they must leave enough of it for the publication.
    for (let attempt = 0; attempt < tries && now() <= until; attempt++) {
      const { status_code, status } = readAs(endpoint, container, await get(id, 'status_code,status'))
      if (status_code === 'FINISHED') return undefined
      if (status_code !== 'IN_PROGRESS') return nothing(`it could not use the image (${status ?? status_code})`, true)
      await sleep(pauseMs)
    }
    return nothing('it was not done with the image in time')
  }
  return {
    network: 'instagram',
    account: account.account,
    async verify() {
      requireSame(endpoint, account.account, readAs(endpoint, graphId, await get(account.account, 'id,username')).id)
    },
    async publish(wanted): Promise<PublishOutcome> {
      const prepared = await prepare(wanted)
      if ('kind' in prepared) return prepared
      try {
        const failed = await waitFor(prepared.id)
        if (failed) return failed
      } catch (error) {
        return nothing((error as Error).message)
      }
      const answer = await post('media_publish', { creation_id: prepared.id })
      const id = idIn(answer)
      if (id === undefined) return graphNotDone(answer, now())
      // Published already: a link that cannot be had changes nothing about that.
      const link = await get(id, 'permalink').then(
        (body) => permalink.safeParse(body).data?.permalink,
        () => undefined,
      )
      return { kind: 'accepted', id, link }
    },
    async find(wanted, key): Promise<Found> {
      const query = { fields: 'id,caption,timestamp,permalink', limit: String(LISTED) }
      const body = await lookIfAllowed(endpoint, {
        path: path(`${account.account}/media`),
        query,
        headers: bearer(account),
      })
      if (body === undefined) return MAY_NOT_LOOK
      const { data, paging } = readAs(endpoint, media, body)
      const own = data.map((one): OwnPost => {
        return { id: one.id, link: one.permalink, text: one.caption, at: Date.parse(one.timestamp) }
      })
      return findAmong(own, wanted.text, key, paging?.next === undefined)
    },
  }
}

function idIn(answer: HttpAnswer): string | undefined {
  if (answer.kind !== 'answer' || answer.status !== 200) return undefined
  return graphId.safeParse(answer.body).data?.id
}
