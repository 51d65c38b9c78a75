import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { RESTORE } from '#adapters/git/config.ts'
import { quarantinedObjects, removeStaleHubLocks } from '#adapters/git/hub.ts'
import { readTrust } from '#adapters/keys/trust-files.ts'
import { SECRETLINT_TRIGGERS } from '#adapters/secretlint/triggers.ts'
import { lazyScan, ruleScan, scanInLayers } from '#core/content-scan.ts'
import { gateTrust } from '#core/gate.ts'
import { judgePush } from './pre-receive.ts'

const loadSecretlint = async () => (await import('#adapters/secretlint/secretlint.ts')).secretlintScan()

// The hub's pre-receive hook. Git waits for it at every push, so it imports no more than the gate needs.
// Whatever goes wrong here refuses the push.
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
  const gitDir = values['git-dir']
  if (gitDir === undefined || values.trust === undefined) throw new Error('--git-dir and --trust are needed')
  removeStaleHubLocks(gitDir, Date.now())
  const trust = await readTrust(values.trust)
  const faults = await judgePush(await text(process.stdin), quarantinedObjects(gitDir, values, trust.agents), {
    ...gateTrust(trust),
    scan: scanInLayers([ruleScan, lazyScan(SECRETLINT_TRIGGERS, loadSecretlint)]),
    // What the hub had lost is put back by whoever has it: each commit's own signature and place say whether it may enter.
    ...(values.agent && values['push-option'] !== RESTORE && { pushedBy: values.agent }),
  })
  for (const line of faults) process.stderr.write(`${line}\n`)
  process.exitCode = faults.length > 0 ? 1 : 0
} catch (error) {
  process.stderr.write(`countersign: refused gate-failed: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
