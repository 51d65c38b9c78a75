import { CountersignError } from '#core/errors.ts'

/** What is asked of the page has an answer after so many ms, or fails: a hung page never says so by itself. */
export async function withinMs<T>(ms: number, what: string, ask: () => Promise<T>): Promise<T> {
  const limit = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => limit.reject(new CountersignError('ERR_WHATSAPP_UNREACHABLE', `${what}: no answer within ${ms} ms`)),
    ms,
  )
  try {
    return await Promise.race([ask(), limit.promise])
  } finally {
    clearTimeout(timer)
  }
}
