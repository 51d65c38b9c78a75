import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { z } from 'zod'
import type { Receipt } from '#core/countersignature.ts'
import { CountersignError } from '#core/errors.ts'
import { isBeforeRequest, readJsonUpTo, sayNoAnswer } from '#core/http-answer.ts'
import type { WhatsAppPort, WhatsAppStatus } from '#core/ports/whatsapp.ts'
import { type Report, reportSchema } from '#core/report.ts'
import type { SendMessageAction } from '#core/whatsapp-action.ts'
import { chatMessageSchema } from '#core/whatsapp-message.ts'
import { SESSION_STATES } from '#core/whatsapp-session.ts'
import manifest from '../../package.json' with { type: 'json' }

export interface RemoteOptions {
  /** Where the service listens: `http://whatsapp:8790`. */
  readonly url: string
  /** The service's folder, which holds the token that it made. */
  readonly folder: string
}

const LOOK_MS = 30_000
/** Longer than the service may take to send and to wait for WhatsApp's server. */
const SEND_MS = 180_000
const MAX_BYTES = 1024 * 1024
export const TOKEN_FILE = 'token'

const statusSchema = z.strictObject({
  state: z.enum(SESSION_STATES),
  say: z.string().max(1_000),
  since: z.number(),
  own: z.string().max(40).optional(),
  next_send_at: z.number(),
  epoch: z.string().max(60),
  newest: z.number().int(),
})
const loginSchema = z.strictObject({
  state: z.enum(SESSION_STATES),
  say: z.string().max(1_000),
  /** What the code is made of, and where it stands as a picture for a short while. */
  code: z.string().max(1_000).optional(),
  page: z.string().max(200).optional(),
})
export type LoginAnswer = z.output<typeof loginSchema>

const positioned = z.strictObject({
  messages: z.array(chatMessageSchema.extend({ position: z.number().int().optional() })),
})

export interface RemoteWhatsApp extends WhatsAppPort {
  /** Rejects when nothing is known of the call; one that surely did not leave is refused. */
  send(action: SendMessageAction, receipt: Receipt): Promise<Report>
  /** Asks for a code to link a telephone with. */
  login(): Promise<LoginAnswer>
  /** How that goes on. */
  loginState(): Promise<LoginAnswer>
  logout(): Promise<LoginAnswer>
}

/** The WhatsApp service as the zone's other programs see it: MCP over HTTP, and what is not for models beside it. */
export function remoteWhatsApp({ url, folder }: RemoteOptions): RemoteWhatsApp {
  const headers = async () => ({ authorization: `Bearer ${await readToken(folder)}` })

  async function ask<T>(method: 'GET' | 'POST', path: string, schema: z.ZodType<T>): Promise<T> {
    const what = `asking the WhatsApp service (${url}${path})`
    try {
      const signal = AbortSignal.timeout(LOOK_MS)
      const answer = await fetch(new URL(path, url), { method, headers: await headers(), signal, redirect: 'error' })
      const read = answer.ok ? schema.safeParse(await readJsonUpTo(answer.body, MAX_BYTES)) : undefined
      if (read?.success) return read.data
      throw unreachable(what, answer.ok ? 'an answer that is none of ours' : `HTTP ${answer.status}`)
    } catch (error) {
      throw error instanceof CountersignError ? error : unreachable(what, sayNoAnswer(error), error)
    }
  }

  /** A connection for each call: the service may have been restarted, or its token made anew, since the last one. */
  async function callTool(name: string, args: Record<string, unknown>, timeoutMs: number): Promise<unknown> {
    const transport = new StreamableHTTPClientTransport(new URL('/mcp', url), {
      requestInit: { headers: await headers() },
    })
    const client = new Client({ name: 'countersign', version: manifest.version })
    try {
      await client.connect(transport, { timeout: LOOK_MS })
    } catch (error) {
      await client.close()
      throw new NotConnected(sayNoAnswer(error), { cause: error })
    }
    try {
      return (await client.callTool({ name, arguments: args }, { timeout: timeoutMs })).structuredContent
    } finally {
      await client.close()
    }
  }

  async function look(args: Record<string, unknown>): Promise<z.output<typeof positioned>['messages']> {
    const what = `asking the WhatsApp service (${url}/mcp)`
    let answer: unknown
    try {
      answer = await callTool('get_messages', args, LOOK_MS)
    } catch (error) {
      throw error instanceof CountersignError ? error : unreachable(what, sayNoAnswer(error), error)
    }
    const read = positioned.safeParse(answer)
    if (!read.success) throw unreachable(what, 'the session is not ready')
    return read.data.messages
  }

  return {
    status: () => ask<WhatsAppStatus>('GET', '/session', statusSchema),
    changesAfter: async (position) =>
      (await look({ after: position })).map(({ position: at = 0, ...message }) => ({ position: at, message })),
    messagesOf: async (chat) => (await look({ chat })).map(({ position: _, ...message }) => message),
    async send(action, receipt) {
      try {
        return reportSchema.parse(await callTool('send_message', { action, receipt }, SEND_MS))
      } catch (error) {
        // The action leaves only after the connection stands.
        if (!(error instanceof NotConnected || isBeforeRequest(error) || error instanceof CountersignError)) throw error
        return {
          outcome: 'refused',
          code: 'ERR_WHATSAPP_UNREACHABLE',
          reason: `the WhatsApp service: ${sayNoAnswer(error)}`,
        }
      }
    },
    login: () => ask('POST', '/login', loginSchema),
    loginState: () => ask('GET', '/login', loginSchema),
    logout: () => ask('POST', '/logout', loginSchema),
  }
}

class NotConnected extends Error {}

async function readToken(folder: string): Promise<string> {
  const path = join(folder, TOKEN_FILE)
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    throw unreachable(`reading ${path}`, 'the WhatsApp service has not run yet', error)
  }
}

function unreachable(what: string, found: string, cause?: unknown): CountersignError {
  return new CountersignError('ERR_WHATSAPP_UNREACHABLE', `${what}: ${found}`, { cause })
}
