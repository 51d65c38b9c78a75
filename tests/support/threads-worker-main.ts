// What works on triage's tasks, in one process that can be killed: claims as sync does, the drafter, and the local zone's
// joining of messages, all on one vault without a hub between. Arguments: the home folder.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openJournal } from '#adapters/journal/journal.ts'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { openReceived } from '#adapters/received/received.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { claimedBy } from '#core/claim.ts'
import { parseTaskFile, renderTaskFile } from '#core/task-file.ts'
import { fileNameOf, taskPath } from '#core/vault-path.ts'
import { draftReply } from '#services/drafter/draft-reply.ts'
import { claimedJobs } from '#services/drafter/hand-in.ts'
import type { ExecutorDeps } from '#services/executor/deps.ts'
import { inHand } from '#services/executor/in-hand.ts'
import { joinMessages } from '#services/executor/join-message.ts'

const home = process.argv[2] ?? ''
const clock = { now: () => Date.now() }
const vault = await openVault(join(home, 'vault'))
const state = join(home, 'worker')
const ledgerOf = (agent: string) => openLedger({ vaultRoot: vault.root, stateDir: join(state, agent), agent, clock })
const silent = { debug() {}, info() {}, warn() {}, error: (fields: object) => console.error(fields) }
const uncounted = { count() {}, observe() {}, since() {} }

const drafter = {
  ...({ vault, clock, ledger: ledgerOf('cloud-drafter'), zone: 'cloud', agent: 'cloud' } as const),
  ...{ ownerAddress: 'owner@countersign.test', ownerName: 'Owner', expiresAfterMs: 86_400_000 },
  // Takes its time, so that messages come meanwhile; names what it answers.
  write: async ({ original }: { original: string }) => {
    await delay(20)
    const text = `This answers ${createHash('sha256').update(original).digest('hex')}.`
    return { by: 'cloud-draft-email', model: 'template', costUsd: '0', text }
  },
}
const local = {
  ...{ vault, clock, ledger: ledgerOf('local'), zone: 'local', agent: 'local' },
  journal: openJournal(join(state, 'journal.sqlite'), { epoch: 'take', now: clock.now() }),
  ...{ received: openReceived(join(state, 'local')), isQuiet: () => true, inHand: inHand(() => {}) },
  ...{ log: silent, metrics: uncounted },
} as unknown as ExecutorDeps

async function claim(): Promise<void> {
  for (const path of await vault.list('Needs_Action/email')) {
    const text = (await vault.read(path).catch(() => undefined)) ?? ''
    const parsed = parseTaskFile(text)
    if (!parsed.ok) continue
    const agent = parsed.task.front.for ?? 'cloud'
    const claimed = renderTaskFile(claimedBy(parsed.task, agent, new Date(clock.now()).toISOString()))
    if ((await vault.replaceIf(path, text, claimed)) !== 'replaced') continue
    await vault.move(path, taskPath({ kind: 'in-progress', agent }, fileNameOf(path)))
  }
}

for (;;) {
  await claim()
  for (const job of await claimedJobs(vault, 'cloud')) await draftReply(job, drafter as never)
  await joinMessages(local)
  await delay(20)
}
