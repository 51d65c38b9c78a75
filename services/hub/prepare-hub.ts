import { parseArgs } from 'node:util'
import { initHub } from '#adapters/git/hub.ts'

// Makes or completes the hub's repository, with its settings and hooks: runs at each start of the hub's container.
const { repository, trust, hook } = parseArgs({
  options: { repository: { type: 'string' }, trust: { type: 'string' }, hook: { type: 'string' } },
}).values
if (!repository || !trust || !hook) throw new Error('--repository, --trust and --hook are needed')
await initHub({ dir: repository, trustDir: trust, hookCommand: [process.execPath, hook] })
