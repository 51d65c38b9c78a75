import type { RequestsPort } from '#core/ports/requests.ts'
import type { SyncAnswer, SyncRequest } from '#core/sync-request.ts'

/** Requests in memory: a test asks, and reads what was answered. */
export interface MemoryRequests extends RequestsPort {
  ask(request: SyncRequest): void
  /** Every answer in order, also those to one request. */
  readonly answers: [id: string, answer: SyncAnswer][]
}

export function memoryRequests(): MemoryRequests {
  const open = new Map<string, SyncRequest>()
  const answers: [string, SyncAnswer][] = []
  return {
    answers,
    ask: (request) => void open.set(request.id, request),
    open: async () => [...open.values()],
    async answer(id, answer) {
      answers.push([id, answer])
      if (answer.kind !== 'waiting') open.delete(id)
    },
  }
}
