import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { GATE_SOCKET, pushObjects } from '#adapters/git/hub.ts'
import { gateFailed, judge, type Push } from './judge.ts'

// The gate that stays beside the hub's sshd. The pre-receive hook asks it over a socket in the repository, which spares
// each push the start of a program; while nobody listens there, the hook starts one (main.ts).
//
// A question: objects, alternates, agent, push option and updates, parted by zero bytes, to the end of the stream. The
// answer: `accepted` or `refused` on a line, then a line for each fault.
const { 'git-dir': gitDir, trust } = parseArgs({
  options: { 'git-dir': { type: 'string' }, trust: { type: 'string' } },
}).values
if (!gitDir || !trust) throw new Error('--git-dir and --trust are needed')

const MAX_QUESTION_CHARS = 1024 * 1024
// A socket's address is short, and repositories may lie deep.
process.chdir(gitDir)
rmSync(GATE_SOCKET, { force: true })
const objects = pushObjects(gitDir)
const server = createServer({ allowHalfOpen: true }, (socket) => void answer(socket))
server.listen(GATE_SOCKET)
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close()
    rmSync(GATE_SOCKET, { force: true })
    objects[Symbol.dispose]()
  })
}

async function answer(socket: Socket): Promise<void> {
  socket.on('error', () => {}) // Whoever asked is gone.
  const faults = await faultsOf(socket)
  socket.end([faults.length > 0 ? 'refused' : 'accepted', ...faults, ''].join('\n'))
}

async function faultsOf(socket: Socket): Promise<string[]> {
  try {
    return await judge(pushIn(await text(socket)), objects, gitDir as string, trust as string)
  } catch (error) {
    return [gateFailed(error)]
  }
}

function pushIn(question: string): Push {
  const [objects, alternates, agent, option, updates, ...more] = question.split('\0')
  if (updates === undefined || more.length > 0 || question.length > MAX_QUESTION_CHARS)
    throw new Error('the question is cut off or too long')
  return { objects, alternates, agent, option, updates } as Push
}
