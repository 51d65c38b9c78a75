import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { access, constants, link, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import { isInside } from '#core/inside.ts'
import type { Clock } from '#core/ports/clock.ts'
import type { FoundPayment, PaymentAnswer, PaymentOrder, PaymentWay } from '#core/ports/payment.ts'
import { type Debtor, type PainFormat, renderPain001 } from './pain001.ts'

export interface SepaFileOptions {
  /** Where the files go: outside the vault, which is synchronised. */
  readonly folder: string
  readonly vault: string
  readonly debtor: Debtor
  readonly format: PainFormat
  readonly clock: Clock
}

/** Where euro payments go by SEPA: the European Economic Area, and who joined the scheme. */
const SEPA_COUNTRIES = new Set(
  'AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS SE SI SK SM VA'.split(
    ' ',
  ),
)

/**
 * The way `sepa-file`: a file for the bank, which the person uploads. It is written once under a name that derives from
 * the key, and never again; whether the bank has executed it, the person says. Throws ERR_CONFIG_INVALID where the folder
 * lies in the vault.
 */
export function openSepaFile(options: SepaFileOptions): PaymentWay {
  const { folder, debtor, format, clock } = options
  if (isInside(placeOf(resolve(options.vault)), placeOf(resolve(folder))))
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      'COUNTERSIGN_SEPA_FOLDER lies in the vault, from where files go to the hub: name a folder outside it',
    )
  let problem: string | undefined
  const check = async () => {
    problem = await folderProblem(folder)
    return problem === undefined
  }
  const handedOver = (name: string) =>
    `The file ${name} is ready in the folder for payments of this machine (${folder}). Upload it to your bank and confirm it there; what the bank does not show there was not paid.`
  return {
    name: 'sepa-file',
    title: 'a file for your bank',
    problems: () => (problem === undefined ? [] : [problem]),
    isReady: check,
    fault(order) {
      const country = order.iban.slice(0, 2)
      if (order.currency !== 'EUR') return `A file for the bank carries euro only, not ${order.currency}.`
      if (!SEPA_COUNTRIES.has(country)) return `A file for the bank does not reach accounts in ${country}.`
      return order.iban === debtor.iban ? 'This is the account that would pay.' : undefined
    },
    async pay(order, key): Promise<PaymentAnswer> {
      const nothing = (say: string, permanent: boolean): PaymentAnswer => ({
        ...{ kind: 'refused', permanent, say, evidence: [] },
      })
      const fault = this.fault(order)
      if (fault !== undefined) return nothing(fault, true)
      if (!(await check())) return nothing(problem ?? '', false)
      const name = nameOf(key)
      const older = await olderOf(folder, name)
      if (older !== undefined)
        return nothing(
          `The folder for payments still has the file ${older} of the same payment. Look whether your bank has it: if so, reject this task. If not, delete that file, and approve again`,
          false,
        )
      try {
        const at = clock.now()
        const today = new Date(at).toISOString().slice(0, 10)
        await writeOnce(folder, name, renderPain001({ format, debtor, order, key, at, today }))
      } catch (error) {
        // Whole or not at all: without its name there is no file.
        if (!(await isThere(join(folder, name)))) return nothing(sayFailed(error), false)
      }
      const file = await readFile(join(folder, name))
      return { kind: 'handed-over', say: handedOver(name), evidence: [digestOf(file)] }
    },
    async find(_order: PaymentOrder, key: string): Promise<FoundPayment> {
      if (!(await check())) throw new CountersignError('ERR_PAYMENT_UNAVAILABLE', problem ?? '')
      const name = nameOf(key)
      if (await isThere(join(folder, name))) return { kind: 'handed-over', say: handedOver(name) }
      await rm(join(folder, unfinished(name)), { force: true })
      return { kind: 'not-found' }
    },
  }
}

/** Where a path leads, symbolic links followed as far as there is something. */
function placeOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const above = dirname(path)
    return above === path ? path : join(placeOf(above), basename(path))
  }
}

function nameOf(key: string): string {
  if (!/^[A-Za-z0-9.]{1,35}$/.test(key) || key.includes('..')) throw new RangeError('not the key of a payment')
  return `payment-${key}.xml`
}

/** A file of another approval of the same task: two of them could both be uploaded. */
async function olderOf(folder: string, name: string): Promise<string | undefined> {
  const beginning = name.replace(/[^.]*\.xml$/, '')
  return (await readdir(folder)).find((one) => one !== name && one.startsWith(beginning) && one.endsWith('.xml'))
}

function unfinished(name: string): string {
  return `.${name}.unfinished`
}

/** Beside its name first, then by a link that fails where the name is taken: never half a file, never another one. */
async function writeOnce(folder: string, name: string, content: string): Promise<void> {
  const beside = join(folder, unfinished(name))
  await rm(beside, { force: true })
  const file = await open(beside, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await link(beside, join(folder, name))
  } finally {
    await rm(beside, { force: true })
  }
  const listing = await open(folder, 'r')
  await listing.sync().finally(() => listing.close())
}

async function folderProblem(folder: string): Promise<string | undefined> {
  try {
    if (!(await stat(folder)).isDirectory()) return 'COUNTERSIGN_SEPA_FOLDER is no folder.'
    await access(folder, constants.W_OK | constants.X_OK)
    return undefined
  } catch {
    return 'The folder for payments (COUNTERSIGN_SEPA_FOLDER) is not there or cannot be written to.'
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function sayFailed(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed'
  return `The file could not be written (${code}).`
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
