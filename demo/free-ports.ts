import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/**
 * Below the ports that systems give to whoever asks for any: what is let go here is taken by nobody by chance before
 * the one it is meant for listens, nor while that one is being restarted.
 */
const [FROM, TO] = [10_000, 30_000]
const TRIES = 100

/** Free loopback ports, all different: held at the same time, then let go for whoever is to listen there. */
export async function freePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>()
  for (let tries = 0; held.size < count; tries++) {
    const port = randomInt(FROM, TO)
    const server = createServer().listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
      held.set(port, server)
    } catch (error) {
      if (tries > TRIES) throw error
    }
  }
  await Promise.all([...held.values()].map((server) => new Promise((resolve) => server.close(resolve))))
  return [...held.keys()]
}
