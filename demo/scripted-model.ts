import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { INVOICE_SLOT } from '#core/invoice-slot.ts'
import type { InvoiceAnswer } from '#core/read-invoice.ts'

/** A model that only this repository knows: it answers by a script, so the same mail gets the same answer everywhere. */
export type ScriptedModel = AsyncDisposable & {
  /** Of its chat completions, as OpenAI's protocol has them: `http://127.0.0.1:port/v1`. */
  readonly url: string
  /** How often it was asked. */
  asked(): number
}

export const SCRIPTED = 'scripted'
const MAX_QUESTION_BYTES = 4 * 1024 * 1024

type Question = {
  readonly messages: readonly { readonly role: string; readonly content: unknown }[]
  readonly response_format?: { readonly json_schema?: { readonly name?: string } }
}

/** Starts it on loopback, unless it is told where. `delayMs`: what it takes to think. */
export async function startScriptedModel({
  delayMs = 0,
  host = '127.0.0.1',
}: {
  readonly delayMs?: number
  readonly host?: string
} = {}): Promise<ScriptedModel> {
  let asked = 0
  const server = createServer(async (request, response) => {
    const send = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    try {
      asked++
      const question = JSON.parse(await bodyOf(request)) as Question
      const answer = answerTo(question)
      await delay(delayMs)
      if (answer === undefined) send(400, { error: { message: 'the scripted model has no answer of this form' } })
      else send(200, completion(question, JSON.stringify(answer)))
    } catch {
      send(400, { error: { message: 'no question of a chat' } })
    }
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What the cloud zone has to be told, so that it asks this model and no other. */
export function scriptedModelSettings({ url }: ScriptedModel): Record<string, string> {
  return {
    COUNTERSIGN_MODEL_LARGE: `openai:${SCRIPTED}`,
    COUNTERSIGN_MODEL_SMALL: `openai:${SCRIPTED}`,
    COUNTERSIGN_MODEL_LARGE_PRICE: '0/0',
    COUNTERSIGN_MODEL_SMALL_PRICE: '0/0',
    COUNTERSIGN_OPENAI_URL: url,
  }
}

async function bodyOf(request: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > MAX_QUESTION_BYTES) throw new Error('too long a question')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function completion({ messages }: Question, content: string) {
  const tokens = (text: string) => Math.ceil(text.length / 4)
  const [prompt_tokens, completion_tokens] = [tokens(JSON.stringify(messages)), tokens(content)]
  return {
    id: 'scripted',
    object: 'chat.completion',
    created: 0,
    model: SCRIPTED,
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
  }
}

/** By the form that is asked for; undefined for one that the script does not have. */
function answerTo({ messages, response_format }: Question): object | undefined {
  const prompt = messages.findLast(({ role }) => role === 'user')?.content
  switch (response_format?.json_schema?.name) {
    case 'draft':
      return replyTo(textOf(prompt))
    case 'sorted_mail':
      return { domain: 'email', priority: 'normal' }
    case 'invoice':
      return invoiceIn(textOf(prompt))
    default:
      return undefined
  }
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  const parts = Array.isArray(content) ? (content as { text?: unknown }[]) : []
  return parts.map(({ text }) => (typeof text === 'string' ? text : '')).join('\n')
}

/** Of an invoice. */
const NOTHING_SAID: InvoiceAnswer = {
  customer: { name: null, email: null, address: null, tax_id: null },
  lines: [],
  ...{ prices_include_tax: null, currency: null, due: null, reference: null },
}

const ORDER = /(\d+) (\p{L}+) at (\d+) ([A-Z]{3}) each, plus (\d+) % VAT, for (\p{L}[\p{L} ]*)[.,]/u

/** An order in the one form that the script knows: `2 workshops at 450 EUR each, plus 19 % VAT, for Acme Ltd.` */
function invoiceIn(prompt: string): InvoiceAnswer {
  const [, quantity = '', description = '', unit_price = '', currency = '', percent = '', name = ''] =
    ORDER.exec(prompt) ?? []
  if (name === '') return NOTHING_SAID
  return {
    customer: { name, email: null, address: null, tax_id: null },
    lines: [{ description, quantity, unit_price, tax_percent: [percent] }],
    ...{ prices_include_tax: false, currency, due: null, reference: null },
  }
}

const DAY = /\b(?:mon|tues|wednes|thurs|fri)day\b/i

/** Names what was asked; a day is promised only where the owner's notes name it. */
function replyTo(prompt: string) {
  const mail = /<<<mail (\w+)\n([\s\S]*?)\nmail \1>>>/.exec(prompt)?.[2] ?? ''
  const signature = /this signature, letter for letter:\n\n([\s\S]*?)(?=\n\n|$)/.exec(prompt)?.[1] ?? ''
  const notes =
    /The owner wants this changed, and nothing else:\n\n([\s\S]*?)(?=\n\nWhat the owner sent|$)/.exec(prompt)?.[1] ?? ''
  const name = /\bregards,?\n+(\p{L}+)/u.exec(mail)?.[1]
  const asked = /([^.!?\n]*)\?/.exec(mail.replace(/[,\n]\s*please/g, ''))?.[1]?.trim()
  const day = DAY.exec(notes)?.[0]
  const isShort = /short/i.test(notes)
  if (prompt.includes(INVOICE_SLOT)) {
    const text = `${name ? `Dear ${name},` : 'Hello,'}\n\nattached is invoice ${INVOICE_SLOT}.\n\nKind regards\n${signature}`
    return { text, language: 'en', needs: [], read: [] }
  }
  const lines = [
    name ? `Dear ${name},` : 'Hello,',
    ...(isShort ? [] : [`thank you for your message. You ask: “${asked ?? 'see below'}?”`]),
    day ? `I take care of it; you will have it on ${day}.` : 'I take care of it, and tell you as soon as I know when.',
    ...(notes !== '' && !day && !isShort ? [notes] : []),
    `Kind regards\n${signature}`,
  ]
  return { text: lines.join('\n\n'), language: 'en', needs: day ? [] : ['by when it can be done'], read: [] }
}
