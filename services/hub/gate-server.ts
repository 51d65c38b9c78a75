import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { GATE_SOCKET } from '#adapters/git/hub.ts'
import type { Push } from './judge.ts'

const MAX_QUESTION_CHARS = 1024 * 1024
const FIELDS = ['objects', 'alternates', 'agent', 'option', 'updates'] as const satisfies (keyof Push)[]

/**
 * The gate that stays: the pre-receive hook asks it over a socket in the repository, the current folder, which spares
 * each push the start of a program. A question is FIELDS parted by zero bytes, to the end of the stream; the answer
 * `accepted` or `refused` on a line, then a line for each fault. A question that cannot be read gets none.
 */
export function serveGate(faultsOf: (push: Push) => Promise<string[]>): Disposable {
  // What a killed one left.
  rmSync(GATE_SOCKET, { force: true })
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}) // Whoever asked is gone.
    answer(socket, faultsOf).catch(() => socket.destroy())
  })
  server.listen(GATE_SOCKET)
  return {
    [Symbol.dispose]() {
      server.close()
      rmSync(GATE_SOCKET, { force: true })
    },
  }
}

async function answer(socket: Socket, faultsOf: (push: Push) => Promise<string[]>): Promise<void> {
  const question = await text(socket)
  const parts = question.split('\0')
  if (parts.length !== FIELDS.length || question.length > MAX_QUESTION_CHARS) throw new Error('no question of the hook')
  const faults = await faultsOf(Object.fromEntries(FIELDS.map((name, at) => [name, parts[at]])) as unknown as Push)
  socket.end([faults.length > 0 ? 'refused' : 'accepted', ...faults, ''].join('\n'))
}
