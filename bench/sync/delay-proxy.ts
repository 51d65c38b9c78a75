import { connect, createServer, type Socket } from 'node:net'
import { parseArgs } from 'node:util'

// A TCP proxy on loopback that holds everything back for a while in each direction: a far hub on one machine. Run as a
// process of its own, so that nothing else's work delays it further.

const { values } = parseArgs({
  options: { listen: { type: 'string' }, target: { type: 'string' }, 'delay-ms': { type: 'string' } },
})
const [listenPort, targetPort, delayMs] = [values.listen, values.target, values['delay-ms']].map(Number) as [
  number,
  number,
  number,
]

createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
  const far = connect({ port: targetPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  pipeLate(near, far)
  pipeLate(far, near)
}).listen(listenPort, '127.0.0.1')

/** Order is kept: timers of one length fire in the order they were set. */
function pipeLate(from: Socket, to: Socket): void {
  from.on('data', (bytes) => void setTimeout(() => to.writable && to.write(bytes), delayMs))
  from.on('end', () => void setTimeout(() => to.end(), delayMs))
  for (const event of ['error', 'close'] as const) from.on(event, () => void setTimeout(() => to.destroy(), delayMs))
}
