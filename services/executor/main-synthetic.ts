import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { compareTexts } from '#adapters/diff/compare-texts.ts'
import { openJournal } from '#adapters/journal/journal.ts'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { connectInProcess } from '#adapters/mcp/in-process-client.ts'
import { composeMail } from '#adapters/mime/compose-mail.ts'
import { openReceived } from '#adapters/received/received.ts'
import { openVault } from '#adapters/vault-fs/vault-fs.ts'
import { onceEvery } from '#core/once-every.ts'
import type { MailSender, SentMail } from '#core/ports/mail.ts'
import { SYNTHETIC_EVERY_MS, SYNTHETIC_FOLDER, SYNTHETIC_OWNER, syntheticDraft } from '#core/synthetic.ts'
import { vaultPath } from '#core/vault-path.ts'
import { composeWithFiles } from '#mcp/email/compose-with-files.ts'
import { createEmailServer } from '#mcp/email/server.ts'
import { sendEmail } from '#mcp/email/tools/send-email.ts'
import type { Log } from '#runtime/logger.ts'
import type { Metrics } from '#runtime/metrics.ts'
import type { ServiceContext } from '#runtime/service.ts'
import { emailChannel } from './email-channel.ts'
import { inHand } from './in-hand.ts'
import { pendingReader } from './read-pending.ts'
import { onePass } from './run-executor.ts'
import { actingWith, type ExecutorParts, TOOL_LIMIT_MS, wireExecutor } from './wire-executor.ts'

const DAY_MS = 86_400_000
/** More looks than it takes to present, freeze, act and file. */
const MAX_PASSES = 6
const NO_METRICS: Metrics = {
  ...{ count() {}, set() {}, since() {}, observe() {}, beforeScrape() {}, contentType: '' },
  expose: async () => '',
  read: async () => [],
}

/** A mail system that takes everything, and brings it nowhere. */
function sink(): MailSender & SentMail & { readonly taken: number } {
  let taken = 0
  return {
    get taken() {
      return taken
    },
    verify: async () => {},
    async send() {
      taken++
      return { kind: 'accepted', response: '250 taken, and brought nowhere', refusedRecipients: [] }
    },
    has: async () => false,
    append: async () => {},
  }
}

/**
 * Lets a synthetic approval be carried out by the code that carries out real ones (card, freeze, countersignature, journal,
 * tool, Done), in a vault, a journal and a ledger of its own, under a key made for it alone, with a mail system that sends
 * nothing. Throws where it did not come to be done once.
 */
export async function executeSynthetic(
  { state, agent }: { readonly state: string; readonly agent: string },
  mail: MailSender & SentMail & { readonly taken: number } = sink(),
): Promise<void> {
  const root = join(state, SYNTHETIC_FOLDER, 'action')
  await rm(root, { recursive: true, force: true })
  const [vaultRoot, stateDir] = [join(root, 'vault'), join(root, 'state')]
  for (const folder of [vaultRoot, stateDir]) await mkdir(folder, { recursive: true, mode: 0o700 })
  await using closing = new AsyncDisposableStack()
  const clock = { now: Date.now }
  let said = 'nothing was said'
  const hear = (fields: { err?: unknown; reason?: unknown }, message: string) => {
    said = `${message} ${String(fields.err ?? fields.reason ?? '')}`.slice(0, 300)
  }
  const log: Log = { debug() {}, info() {}, warn: hear, error: hear }
  const vault = await openVault(vaultRoot)
  const parts: ExecutorParts = {
    ...{ vault, clock, compare: compareTexts, doorbell: { ring: async () => {} } },
    ledger: closing.use(openLedger({ vaultRoot, stateDir, agent, clock })),
    journal: closing.use(openJournal(join(stateDir, 'journal.sqlite'), { epoch: 'take', now: clock.now() - DAY_MS })),
    received: closing.use(openReceived(stateDir)),
    signingKey: generateKeyPairSync('ed25519').privateKey,
  }
  const compose = composeWithFiles(composeMail, vault, 'Countersign')
  const server = createEmailServer([sendEmail({ ...actingWith(parts), compose, send: (one) => mail.send(one) })])
  const client = closing.use(await connectInProcess(server))
  const email = emailChannel({
    ...{ sender: mail, sentFolder: mail, clock, log, compose },
    lookAtThread: async () => [],
    sendEmail: (action, receipt) => client.call('send_email', { action, receipt }, TOOL_LIMIT_MS),
  })
  const config = { zone: 'local', agent, ownerAddress: SYNTHETIC_OWNER, maxRecipients: 1, undoMs: 0 } as const
  const deps = {
    ...wireExecutor(config, parts, [email], { log, metrics: NO_METRICS }),
    ...{ lookUpGraceMs: 0, isQuiet: () => true, isNoteQuiet: () => true },
    ...{ inHand: inHand(() => {}), pending: pendingReader() },
  }
  const pass = () => onePass(deps, { agents: [agent], config: { reconcileMs: 0, state: stateDir } })
  const { fileName, text } = syntheticDraft(clock.now(), randomBytes(10))
  const pending = vaultPath(`Pending_Approval/email/${fileName}`)
  await vault.create(pending, text)
  await pass()
  await vault.move(pending, vaultPath(`Approved/${fileName}`))
  let where: string | undefined
  for (let passes = 0; passes < MAX_PASSES && !where?.startsWith('Done/'); passes++) {
    await pass()
    where = await vault.find(fileName)
  }
  if (where?.startsWith('Done/') && mail.taken === 1) return
  throw new Error(`the synthetic approval was sent ${mail.taken} times and stands in ${where ?? 'nowhere'}: ${said}`)
}

/** Once a minute, when a canary comes through the executor's queue; its age is told, and why it did not come through. */
export function tryOut(
  config: { readonly state: string; readonly agent: string },
  { metrics, log }: Pick<ServiceContext, 'metrics' | 'log'>,
): () => Promise<void> {
  metrics.since('countersign_synthetic_age_seconds', Date.now(), {})
  const work = async () => {
    const beganAt = Date.now()
    await executeSynthetic(config)
    metrics.since('countersign_synthetic_age_seconds', beganAt, {})
  }
  const onFault = (error: unknown) => log.warn({ reason: String(error) }, 'a synthetic approval did not come through')
  return onceEvery(SYNTHETIC_EVERY_MS, () => performance.now(), work, onFault)
}
