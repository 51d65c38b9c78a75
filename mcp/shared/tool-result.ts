import type { CallToolResult } from '@modelcontextprotocol/server'
import { CountersignError } from '#core/errors.ts'

type Structured = Record<string, unknown>

/** A tool's answer, as data and as text for clients that only read text. */
export function toolResult(structured: Structured, isError = false): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(structured) }], structuredContent: structured, isError }
}

/**
 * A failed call. The SDK would pass a thrown error's raw message on (paths, servers' answers); a client gets the code
 * and the hint instead.
 */
export function toolFailure(error: unknown): CallToolResult {
  const failure =
    error instanceof CountersignError
      ? { code: error.code, hint: error.hint }
      : { code: 'ERR_UNEXPECTED', hint: 'A fault of the program; its log says more.' }
  return { content: [{ type: 'text', text: JSON.stringify(failure) }], isError: true }
}
