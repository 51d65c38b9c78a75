import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import manifest from '../../package.json' with { type: 'json' }
import { BrowserFault } from './browser-fault.ts'
import { type LocalBrowser, launchCommand } from './launch.ts'
import { cellsOf, fieldsIn, type PageNode, readAnswer, type ToolAnswer, textOf } from './snapshot.ts'
import { SocketTransport } from './socket-transport.ts'
import { BROWSER_TOOLS, type BrowserTool, type BrowserToolArgs } from './tools.ts'

/** A browser in a container of its own (`serveBrowser`), whose network's only way out is the proxy. */
export interface RemoteBrowser {
  readonly kind: 'socket'
  readonly host: string
  readonly port: number
}
export type BrowserPlace = LocalBrowser | RemoteBrowser

/**
 * One page, which is all there ever is. Every call throws a BrowserFault when it was not done or nothing is known of it,
 * also when the page turned out to be none that `isAllowed` knows.
 */
export interface BrowserPage extends AsyncDisposable {
  open(address: string): Promise<void>
  /** What the one element shows; undefined when there is none. */
  textAt(selector: string): Promise<string | undefined>
  /** How many fields there are in an element. */
  fieldsAt(selector: string): Promise<number>
  tableAt(selector: string): Promise<string[][]>
  fill(selector: string, text: string): Promise<void>
  select(selector: string, option: string): Promise<void>
  click(selector: string): Promise<void>
  /** The whole page as PNG. */
  picture(): Promise<Uint8Array>
}

/** One call, ms. The browser itself gives up on a page after 15 s, on an element after 5. */
const CALL_MS = 20_000
/** Longer than Chromium takes to start on a small machine. */
const CONNECT_MS = 45_000
const MAX_TEXT = 256 * 1024
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024
const MAX_PICTURE_BYTES = 8 * 1024 * 1024

/** Starts the browser's server, or connects to it. The browser itself starts with the first page. Throws a BrowserFault. */
export async function openBrowserPage(
  place: BrowserPlace,
  isAllowed: (address: string) => boolean,
): Promise<BrowserPage> {
  const client = new Client({ name: 'countersign', version: manifest.version })
  try {
    await client.connect(await transportTo(place), { timeout: CONNECT_MS })
    const { tools } = await client.listTools(undefined, { timeout: CALL_MS })
    const lacking = Object.keys(BROWSER_TOOLS).find((name) => !tools.some((tool) => tool.name === name))
    if (lacking !== undefined) throw new Error(`the browser server has no tool ${lacking}`)
  } catch (cause) {
    await client.close().catch(() => {})
    throw new BrowserFault('gone', { cause })
  }
  const call = async <T extends BrowserTool>(tool: T, args: BrowserToolArgs<T>) => callTool(client, tool, args)
  const read = async <T extends BrowserTool>(tool: T, args: BrowserToolArgs<T>) => {
    const answer = readTextOf(await call(tool, args))
    if (answer.address !== undefined && !isAllowed(answer.address)) throw new BrowserFault('elsewhere')
    return answer
  }
  const look = async (target: string): Promise<PageNode> => {
    const { snapshot, address } = await read('browser_snapshot', { target })
    if (snapshot === undefined || address === undefined) throw new BrowserFault('page')
    return snapshot
  }
  return {
    async open(url) {
      await read('browser_navigate', { url })
    },
    async textAt(selector) {
      try {
        return textOf(await look(selector))
      } catch (error) {
        if (error instanceof BrowserFault && error.kind === 'no-element') return undefined
        throw error
      }
    },
    fieldsAt: async (selector) => fieldsIn(await look(selector)),
    tableAt: async (selector) => cellsOf(await look(selector)),
    async fill(target, text) {
      await read('browser_type', { target, text })
    },
    async select(target, option) {
      await read('browser_select_option', { target, values: [option] })
    },
    async click(target) {
      await read('browser_click', { target })
    },
    async picture() {
      const result = await call('browser_take_screenshot', { type: 'png', fullPage: true })
      readTextOf(result)
      const image = result.content.find((part) => part.type === 'image')
      const bytes = Buffer.from(image?.data ?? '', 'base64')
      if (bytes.length === 0 || bytes.length > MAX_PICTURE_BYTES) throw new BrowserFault('page')
      return bytes
    },
    async [Symbol.asyncDispose]() {
      // The server lets the browser write its profile down; it may be gone already.
      await callTool(client, 'browser_close', {}).catch(() => {})
      await client.close().catch(() => {})
    },
  }
}

async function transportTo(place: BrowserPlace) {
  if (place.kind === 'socket') return new SocketTransport(place, MAX_MESSAGE_BYTES)
  const { command, args } = await launchCommand(place)
  // Nothing of this process's environment but what a program needs to start.
  return new StdioClientTransport({ command, args, stderr: 'ignore', maxBufferSize: MAX_MESSAGE_BYTES })
}

async function callTool<T extends BrowserTool>(client: Client, tool: T, args: BrowserToolArgs<T>) {
  // Whoever writes this adapter is held to the table, too.
  const checked = BROWSER_TOOLS[tool].parse(args)
  try {
    return await client.callTool({ name: tool, arguments: checked }, { timeout: CALL_MS })
  } catch (cause) {
    throw new BrowserFault('gone', { cause })
  }
}

type ToolResult = Awaited<ReturnType<Client['callTool']>>

function readTextOf(result: ToolResult): ToolAnswer {
  const text = result.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n')
  if (text.length > MAX_TEXT) throw new BrowserFault('page')
  return readAnswer(text, result.isError === true)
}
