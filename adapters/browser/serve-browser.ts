import { spawn } from 'node:child_process'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Log } from '#runtime/logger.ts'
import { type LocalBrowser, launchCommand } from './launch.ts'

export interface BrowserServer extends AsyncDisposable {
  readonly port: number
}

/** How long a browser has to write its profile down. */
const END_MS = 10_000

/**
 * Lets the executor of another container use this one's browser: one connection at a time, each with a server and a
 * browser of its own, which end with it.
 */
export async function serveBrowser(
  browser: LocalBrowser,
  { host, port, log }: { readonly host: string; readonly port: number; readonly log: Log },
): Promise<BrowserServer> {
  let running: Promise<void> = Promise.resolve()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    // One works, the next one may wait until its browser has ended.
    if (sockets.size > 1) return void socket.destroy()
    sockets.add(socket)
    running = running
      .then(() => (socket.destroyed ? undefined : serveOne(socket, browser)))
      .catch((error) => log.error({ err: error }, 'the browser could not be started'))
      .finally(() => {
        socket.destroy()
        sockets.delete(socket)
      })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await running
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function serveOne(socket: Socket, browser: LocalBrowser): Promise<void> {
  const { command, args } = await launchCommand(browser)
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('exit', () => resolve())
    child.once('error', reject)
  })
  socket.pipe(child.stdin)
  child.stdout.pipe(socket)
  child.stdin.on('error', () => {}) // It ended first.
  socket.once('close', () => {
    child.stdin.end()
    const late = setTimeout(() => child.kill('SIGKILL'), END_MS)
    child.once('exit', () => clearTimeout(late))
  })
  if (socket.destroyed) child.stdin.end()
  await ended
}
