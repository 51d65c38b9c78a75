import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { pushObjects } from '#adapters/git/hub.ts'
import { SECRETLINT_TRIGGERS } from '#adapters/secretlint/triggers.ts'
import { lazyScan, ruleScan, scanInLayers } from '#core/content-scan.ts'
import { serveGate } from './gate-server.ts'
import { judge } from './judge.ts'

// The hub's gate: `main.ts stay` beside its sshd, `main.ts pre-receive` for one push, where none stays. Git waits for
// it, so it imports no more than it needs. Exit code 0 lets the push in.
const { values, positionals } = parseArgs({
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
const { 'git-dir': gitDir, trust: trustDir, 'push-option': option, ...push } = values
if (gitDir === undefined || trustDir === undefined) throw new Error('--git-dir and --trust are needed')
const loadSecretlint = async () => (await import('#adapters/secretlint/secretlint.ts')).secretlintScan()
const scan = scanInLayers([ruleScan, lazyScan(SECRETLINT_TRIGGERS, loadSecretlint)])
const objects = pushObjects(gitDir)
const hub = { gitDir, trustDir, objects, scan }

if (positionals[0] === 'stay') {
  // A socket's address is short, and repositories may lie deep.
  process.chdir(gitDir)
  const gate = serveGate((one) => judge(one, hub))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      gate[Symbol.dispose]()
      objects[Symbol.dispose]()
    })
  }
} else {
  const faults = await judge({ ...push, option, updates: await text(process.stdin) }, hub)
  for (const line of faults) process.stderr.write(`${line}\n`)
  process.exitCode = faults.length > 0 ? 1 : 0
  objects[Symbol.dispose]()
}
