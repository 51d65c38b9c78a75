import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { pushObjects } from '#adapters/git/hub.ts'
import { gateFailed, judge } from './judge.ts'

// The hub's pre-receive hook where no gate stays (gate-server.ts): git waits for it at every push, so it imports no more
// than the gate needs.
try {
  const { values } = parseArgs({
    allowPositionals: true,
    options: {
      'git-dir': { type: 'string' },
      trust: { type: 'string' },
      agent: { type: 'string', default: '' },
      objects: { type: 'string', default: '' },
      alternates: { type: 'string', default: '' },
      'push-option': { type: 'string', default: '' },
    },
  })
  const { 'git-dir': gitDir, trust, 'push-option': option, ...push } = values
  if (gitDir === undefined || trust === undefined) throw new Error('--git-dir and --trust are needed')
  using objects = pushObjects(gitDir)
  const updates = await text(process.stdin)
  const faults = await judge({ ...push, option, updates }, objects, gitDir, trust)
  for (const line of faults) process.stderr.write(`${line}\n`)
  process.exitCode = faults.length > 0 ? 1 : 0
} catch (error) {
  process.stderr.write(`${gateFailed(error)}\n`)
  process.exitCode = 1
}
