import { createHash } from 'node:crypto'
import type { SyncAnswer, SyncRequest } from '#core/sync-request.ts'
import { fileNameOf } from '#core/vault-path.ts'
import type { GiveBack } from './give-back.ts'
import type { Claimed } from './hand-in.ts'

/** What commands ask sync with, by files in the zone's state. */
export interface Asking {
  ask(request: SyncRequest): Promise<void>
  answerTo(id: string): Promise<SyncAnswer | undefined>
  open(): Promise<readonly SyncRequest[]>
}

/** One request for each claim: its id derives from it. `ring` wakes sync; without it sync comes upon the request by itself. */
export function giveBackThroughSync(asking: Asking, agent: string, ring: () => Promise<void>): GiveBack {
  return {
    isAsked: async (claimed) => {
      const id = requestId(claimed)
      // Answered and still here: sync refused, or is about to move it. Neither is changed by asking again.
      return (await asking.open()).some((one) => one.id === id) || (await asking.answerTo(id)) !== undefined
    },
    ask: async (claimed, over = {}) => {
      const { id: task, generation } = claimed.task.front
      const about = { id: requestId(claimed), task, file: fileNameOf(claimed.path) }
      await asking.ask({ kind: 'give-back', ...about, holder: agent, generation, ...over })
      await ring()
    },
  }
}

function requestId({ task }: Claimed): string {
  const { id, generation } = task.front
  return createHash('sha256').update(`${id}/${generation}/give-back`).digest('hex').slice(0, 32)
}
