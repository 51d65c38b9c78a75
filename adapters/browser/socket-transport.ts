import { connect, type Socket } from 'node:net'
import { type JSONRPCMessage, ReadBuffer, serializeMessage, type Transport } from '@modelcontextprotocol/client'

const CONNECT_MS = 10_000

/** MCP as over stdio, one message a line, through a socket: when it closes, the server at its other end ends. */
export class SocketTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  readonly #target: { readonly host: string; readonly port: number }
  readonly #buffer: ReadBuffer
  #socket: Socket | undefined

  constructor(target: { readonly host: string; readonly port: number }, maxBufferSize: number) {
    this.#target = { host: target.host, port: target.port }
    this.#buffer = new ReadBuffer({ maxBufferSize })
  }

  async start(): Promise<void> {
    const socket = connect(this.#target)
    this.#socket = socket
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('no connection in time')))
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    socket.setTimeout(0)
    socket.on('error', (error) => this.onerror?.(error))
    socket.on('close', () => this.onclose?.())
    socket.on('data', (chunk) => this.#read(chunk))
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const socket = this.#socket
    if (!socket?.writable) throw new Error('not connected')
    await new Promise<void>((resolve, reject) => {
      socket.write(serializeMessage(message), (error) => (error ? reject(error) : resolve()))
    })
  }

  async close(): Promise<void> {
    this.#socket?.destroy()
    this.#buffer.clear()
  }

  #read(chunk: Buffer): void {
    try {
      this.#buffer.append(chunk)
      for (let message = this.#buffer.readMessage(); message !== null; message = this.#buffer.readMessage())
        this.onmessage?.(message)
    } catch (error) {
      // Too long, or no message: nothing that follows can be understood.
      this.onerror?.(error as Error)
      this.#socket?.destroy()
    }
  }
}
