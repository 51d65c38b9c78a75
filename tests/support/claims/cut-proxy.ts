import { connect, createServer, type Socket } from 'node:net'

/**
 * A way to a port on this machine that can be cut: every open connection ends at once, in the middle of whatever it
 * carries. It may be a slow one.
 */
export interface CutProxy extends AsyncDisposable {
  readonly port: number
  /** How many connections were cut. */
  cut(): number
}

export async function cutProxy(targetPort: number, delayMs = 0): Promise<CutProxy> {
  const open = new Set<Socket>()
  const later = (act: () => void) => void (delayMs > 0 ? setTimeout(act, delayMs) : act())
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    const far = connect({ port: targetPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from)
      // Order is kept: timers of one length fire in the order they were set.
      from.on('data', (bytes) => later(() => to.writable && to.write(bytes)))
      from.on('end', () => later(() => to.end()))
      from.on('error', () => to.destroy())
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
    }
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const cut = () => {
    const ended = open.size / 2
    for (const socket of open) socket.resetAndDestroy()
    return ended
  }
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cut,
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise((done) => server.close(done))
    },
  }
}
