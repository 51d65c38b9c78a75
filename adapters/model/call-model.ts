import type { CallModel, CallOutcome, ModelCall } from '#core/ports/model-call.ts'
import type { TokenUsage } from '#core/spend.ts'
import { ProviderFault } from './provider-fetch.ts'
import type { Answer, LanguageModel } from './providers.ts'

/** How a model learns what form its answer must have. */
export type AnswersBy = 'schema' | 'prompt'

const PROBLEMS: Readonly<Record<string, { readonly problem: string; readonly isFinal: boolean }>> = {
  length: { problem: 'the answer was longer than allowed and broke off; keep it shorter', isFinal: false },
  'content-filter': { problem: 'the provider’s filter stopped the answer', isFinal: true },
  'tool-calls': { problem: 'a tool was called, and none is offered', isFinal: false },
}

/** One request of `model` as an outcome: nothing is offered that it could call, nothing is tried again. */
export function callModel(model: LanguageModel, where: string, answersBy: AnswersBy): CallModel {
  return async (call, signal) => {
    const timeout = AbortSignal.timeout(call.timeoutMs)
    try {
      return outcomeOf(await ask(model, call, answersBy, signal ? AbortSignal.any([signal, timeout]) : timeout))
    } catch (error) {
      signal?.throwIfAborted()
      return failureOf(error, where, call.timeoutMs, timeout)
    }
  }
}

function ask(
  model: LanguageModel,
  call: ModelCall,
  answersBy: AnswersBy,
  abortSignal: AbortSignal,
): PromiseLike<Answer> {
  const bySchema = answersBy === 'schema'
  const instructions = bySchema ? call.instructions : `${call.instructions}\n\n${schemaInWords(call)}`
  return model.doGenerate({
    prompt: [
      // The same for many questions: where a provider caches prompts at all, it caches up to here.
      {
        role: 'system',
        content: instructions,
        providerOptions: { anthropic: { cacheControl: { type: 'ephemeral' } } },
      },
      { role: 'user', content: [{ type: 'text', text: call.prompt }] },
    ],
    maxOutputTokens: call.maxOutputTokens,
    responseFormat: bySchema ? { type: 'json', name: call.formName, schema: call.jsonSchema } : { type: 'json' },
    // Never the tool that the SDK would offer to a model it does not know. And not strict at servers of OpenAI's form:
    // there it refuses schemas with optional fields, and what comes back is read strictly here anyway.
    providerOptions: { anthropic: { structuredOutputMode: 'outputFormat' }, openai: { strictJsonSchema: false } },
    abortSignal,
  })
}

function schemaInWords(call: ModelCall): string {
  return `Answer with one JSON object and nothing else, valid by this JSON Schema:\n${JSON.stringify(call.jsonSchema)}`
}

function outcomeOf({ content, finishReason, usage: counted }: Answer): CallOutcome {
  const usage = usageOf(counted)
  const isCalling = content.some((part) => part.type === 'tool-call' || part.type === 'tool-result')
  const found = PROBLEMS[isCalling ? 'tool-calls' : finishReason.unified]
  if (found) return { kind: 'unusable', ...found, usage }
  if (finishReason.unified !== 'stop')
    return { kind: 'unusable', problem: 'the answer did not end as one should', isFinal: false, usage }
  const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('')
  return { kind: 'text', text, usage }
}

/** Undefined where the provider did not count: the worst case holds then. */
function usageOf({ inputTokens, outputTokens }: Answer['usage']): TokenUsage | undefined {
  const { total = 0, noCache, cacheRead = 0, cacheWrite = 0 } = inputTokens
  const usage = {
    input: noCache ?? total - cacheRead - cacheWrite,
    cacheRead,
    cacheWrite,
    output: outputTokens.total ?? 0,
  }
  const isCounted = Object.values(usage).every((count) => Number.isSafeInteger(count) && count >= 0)
  return isCounted && total > 0 && usage.output > 0 ? usage : undefined
}

function failureOf(error: unknown, where: string, timeoutMs: number, timeout: AbortSignal): CallOutcome {
  if (timeout.aborted)
    return {
      kind: 'failed',
      fault: 'timeout',
      say: `${where} gave no whole answer within ${Math.ceil(timeoutMs / 1_000)} s`,
      mayCost: true,
    }
  const fault = faultIn(error)
  if (fault) {
    const { message, retryAfterMs, mayCost } = fault
    return {
      kind: 'failed',
      fault: fault.fault,
      say: message,
      mayCost,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    }
  }
  // It answered with something that is no answer of its protocol; the SDK's words may quote it.
  return { kind: 'failed', fault: 'down', say: `${where} answered something else than a model does`, mayCost: true }
}

/** The SDK wraps what its fetch throws. */
function faultIn(error: unknown): ProviderFault | undefined {
  for (let one = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth++)
    if (one instanceof ProviderFault) return one
  return undefined
}
