import type { Clock } from '#core/ports/clock.ts'
import { fetchOf, type ProviderAddress, sayAddress } from './address.ts'
import { ProviderFault } from './provider-fetch.ts'

const TIMEOUT_MS = 10_000
const NAMES_SHOWN = 8

/**
 * Whether the provider can be reached, takes the key and has the model, by looking at its list, which costs nothing;
 * resolves with what was found. Throws what is wrong, in words.
 */
export async function checkModel(address: ProviderAddress, id: string, clock: Clock): Promise<string> {
  const where = sayAddress(address)
  try {
    return address.name === 'anthropic' ? await askForOne(address, id, clock) : await askForAll(address, id, clock)
  } catch (error) {
    if (error instanceof ProviderFault && error.fault === 'unknown-model' && address.name === 'openai')
      return `${where} answers; it has no list of models, so nobody knows whether it has ${id}`
    if (error instanceof Error && error.name === 'TimeoutError')
      throw new Error(`${where} did not answer within ${TIMEOUT_MS / 1_000} s`)
    throw error
  }
}

async function askForOne(address: ProviderAddress, id: string, clock: Clock): Promise<string> {
  const headers = { 'anthropic-version': '2023-06-01' }
  await get(address, `/models/${encodeURIComponent(id)}`, headers, clock)
  return `${sayAddress(address)} takes the key and has ${id}`
}

async function askForAll(address: ProviderAddress, id: string, clock: Clock): Promise<string> {
  const where = sayAddress(address)
  const answer = (await get(address, '/models', {}, clock)) as { data?: unknown } | null
  if (!Array.isArray(answer?.data)) throw new Error(`${where} answered something else than a list of models`)
  const names = answer.data.map((one: { id?: unknown } | null) => String(one?.id ?? ''))
  // Ollama lists what is called `llama3.2` as `llama3.2:latest`.
  if (names.includes(id) || names.includes(`${id}:latest`)) return `${where} answers and has ${id}`
  const some = names.slice(0, NAMES_SHOWN).join(', ')
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : ''
  throw new Error(`${where} answers, but has no model ${id}; it has ${some ? `${some}${more}` : 'none'}`)
}

async function get(
  address: ProviderAddress,
  path: string,
  headers: Record<string, string>,
  clock: Clock,
): Promise<unknown> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const response = await fetchOf(address, clock)(`${address.url}${path}`, { headers, signal })
  try {
    return await response.json()
  } catch {
    throw new Error(`${sayAddress(address)} answered something else than JSON: the address is wrong`)
  }
}
