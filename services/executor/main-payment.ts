import { openBanks } from '#adapters/browser/open-banks.ts'
import { startEgress } from '#adapters/egress/egress-proxy.ts'
import { connectInProcess } from '#adapters/mcp/in-process-client.ts'
import { odooCalls } from '#adapters/odoo/odoo-calls.ts'
import { lookAtBill } from '#adapters/odoo/vendor-bills.ts'
import { openSepaFile } from '#adapters/sepa/sepa-file.ts'
import { CountersignError } from '#core/errors.ts'
import type { Channel } from '#core/ports/channel.ts'
import type { LookAtBill, PaymentWay } from '#core/ports/payment.ts'
import { createPaymentServer } from '#mcp/payment/server.ts'
import { pay } from '#mcp/payment/tools/pay.ts'
import { hasOdoo, odooAccountOf } from '#runtime/odoo-account.ts'
import type { ServiceContext } from '#runtime/service.ts'
import type { ExecutorConfig } from './config.ts'
import { knowledgeOf } from './knowledge.ts'
import { paymentsKnown } from './past-payments.ts'
import { paymentChannel } from './payment-channel.ts'
import { recordPaid } from './record-paid.ts'
import { actingWith, type ExecutorParts, TOOL_LIMIT_MS } from './wire-executor.ts'

/** The channel of payments, and the names of its ways; none where no way is set up. */
export async function openPaymentChannel(
  config: ExecutorConfig,
  parts: ExecutorParts,
  { log, resources }: Pick<ServiceContext, 'log' | 'resources'>,
): Promise<{ readonly channels: readonly Channel[]; readonly ways: readonly string[] }> {
  const { clock, journal } = parts
  const ways = [...openSepa(config, parts), ...(await openBankPages(config, parts, { log, resources }))]
  if (ways.length === 0) return { channels: [], ways: [] }
  const client = resources.use(await connectInProcess(createPaymentServer([pay({ ...actingWith(parts), ways })])))
  const knowledge = knowledgeOf(parts, { address: config.ownerAddress, name: config.ownerName })
  const channel = paymentChannel({
    ...{ ways, clock, lookAtBill: billReader(config) },
    known: paymentsKnown({ vault: parts.vault, journal, knowledge }),
    call: (action, receipt) => client.call('pay', { action, receipt }, TOOL_LIMIT_MS),
    recordPaid: (intent, action) => recordPaid(intent, action, parts.vault),
  })
  return { channels: [channel], ways: ways.map(({ name }) => name) }
}

/** How a bill in Odoo stands; undefined where no Odoo is set up. */
function billReader(config: ExecutorConfig): LookAtBill | undefined {
  if (!hasOdoo(config)) return undefined
  const calls = odooCalls(odooAccountOf(config))
  return (id) => lookAtBill(calls, Number(id))
}

function openSepa(config: ExecutorConfig, { clock }: ExecutorParts): PaymentWay[] {
  const { sepaFolder: folder, sepaName: name, sepaIban: iban, sepaBic: bic, sepaFormat: format, vault } = config
  const given = [folder, name, iban].filter((one) => one !== undefined).length
  if (given > 0 && (folder === undefined || name === undefined || iban === undefined))
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      'COUNTERSIGN_SEPA_FOLDER, COUNTERSIGN_SEPA_NAME and COUNTERSIGN_SEPA_IBAN belong together: set all three, or none',
    )
  if (folder === undefined || name === undefined || iban === undefined) return []
  return [openSepaFile({ ...{ folder, vault, format, clock }, debtor: { name, iban, bic } })]
}

async function openBankPages(
  config: ExecutorConfig,
  { clock }: ExecutorParts,
  { log, resources }: Pick<ServiceContext, 'log' | 'resources'>,
): Promise<PaymentWay[]> {
  const { banks: folder, vault, state: stateDir, browserServer: server, browserProgram: executable } = config
  if (folder === undefined) return []
  const how = { isShown: config.browserWindow === 'on', hasSandbox: config.browserSandbox === 'on' }
  return openBanks({ folder, vault, stateDir, server, executable, ...how, startEgress, clock, log }, resources)
}
