import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { GATE_SOCKET } from '#adapters/git/hub.ts'

/** The gate that stays, as the hub's container runs it, beside a hub. */
export interface GateProcess extends AsyncDisposable {
  /** SIGKILL: the socket stays, and nobody answers. */
  kill(): Promise<void>
}

export async function startGate(hub: string, trustDir: string): Promise<GateProcess> {
  const program = resolve('services/hub/main.ts')
  const child = spawn(process.execPath, [program, 'stay', '--git-dir', hub, '--trust', trustDir], { stdio: 'inherit' })
  const exited = once(child, 'exit')
  const deadline = performance.now() + 30_000
  while (!(await isAnswered(join(hub, GATE_SOCKET)))) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error('the gate does not listen')
    await delay(20)
  }
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await exited
  }
  return {
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: () => end('SIGTERM'),
  }
}

/** A socket that stands there may be what a killed one left. */
function isAnswered(path: string): Promise<boolean> {
  const socket = connect(path)
  return new Promise<boolean>((done) => {
    socket.once('connect', () => done(true)).once('error', () => done(false))
  }).finally(() => socket.destroy())
}
