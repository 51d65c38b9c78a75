import { existsSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bankWay } from '#adapters/browser/bank-way.ts'
import { browserKeeper } from '#adapters/browser/browser-keeper.ts'
import { type BrowserPage, openBrowserPage } from '#adapters/browser/browser-page.ts'
import type { LocalBrowser } from '#adapters/browser/launch.ts'
import { startEgress } from '#adapters/egress/egress-proxy.ts'
import { type BankScript, isOfBank, reachOf, readBankScript } from '#core/bank-script.ts'
import type { Egress } from '#core/ports/egress.ts'
import type { PaymentOrder, PaymentWay } from '#core/ports/payment.ts'
import { BANK_USER, type DemoBank } from './bank-server.ts'
import { demoScript } from './script.ts'

export const CHROMIUM = '/usr/bin/chromium'
export const hasChromium = existsSync(CHROMIUM)

export const ORDER: PaymentOrder = {
  ...{ payee: 'Muster Handels GmbH', iban: 'DE89370400440532013000', bic: undefined },
  ...{ amount: '1234.56', currency: 'EUR', reference: 'Invoice 2026-0815', creditorReference: undefined },
  executeOn: undefined,
}

export function scriptOf(origin: string, changed: (text: string) => string = (text) => text): BankScript {
  const verdict = readBankScript('demo', changed(demoScript(origin)))
  if (!verdict.ok) throw new Error(verdict.problems.join('; '))
  return verdict.script
}

export interface WayOptions {
  /** Edits the script. */
  readonly changed?: (text: string) => string
  readonly wrap?: (page: BrowserPage) => BrowserPage
  /** The browser stays from one payment to the next. */
  readonly stays?: boolean
}

/** A person's machine: state, profile, proxy and browser. */
export interface BankDesk extends AsyncDisposable {
  readonly state: string
  readonly place: LocalBrowser
  readonly refusals: string[]
  readonly egress: Egress
  /** A way to pay with a browser of its own; `changed` edits the script. */
  way(options?: WayOptions): PaymentWay & AsyncDisposable
  /** Any page of the bank. */
  page(): Promise<BrowserPage>
  /** What the person does by hand. */
  logIn(): Promise<void>
}

/** Calls `at` before and after everything that is done to a page: `before fill input[name=iban]`. */
export function watched(page: BrowserPage, at: (step: string) => unknown): BrowserPage {
  const wrapped =
    (name: string, act: (...args: string[]) => Promise<unknown>) =>
    async (...args: string[]) => {
      await at(`before ${[name, args[0]].join(' ').trim()}`)
      const result = await act(...args)
      await at(`after ${[name, args[0]].join(' ').trim()}`)
      return result
    }
  const names = ['open', 'textAt', 'fieldsAt', 'tableAt', 'fill', 'select', 'click', 'picture'] as const
  const methods = names.map((name) => [name, wrapped(name, page[name] as (...args: string[]) => Promise<unknown>)])
  return { ...page, ...Object.fromEntries(methods) }
}

/** The browser's own process, by the lock of its profile. */
export function browserPid(state: string): number {
  return Number(/-(\d+)$/.exec(readlinkSync(join(state, 'browser/profile/SingletonLock')))?.[1])
}

const log = { debug() {}, info() {}, warn() {}, error() {} }

export async function makeDesk(
  bank: DemoBank,
  state = mkdtempSync(join(tmpdir(), 'countersign-desk-')),
): Promise<BankDesk> {
  const script = scriptOf(bank.origin)
  const refusals: string[] = []
  const egress = await startEgress({
    ...{ reach: reachOf([script]), host: '127.0.0.1', port: 0 },
    onRefused: (asked) => refusals.push(asked),
  })
  const place: LocalBrowser = {
    ...{ kind: 'child', executable: CHROMIUM, folder: join(state, 'browser'), isShown: false },
    hasSandbox: process.getuid?.() !== 0,
    proxy: `127.0.0.1:${egress.port}`,
    trustedKeys: [bank.certificate.spki],
  }
  const page = () => openBrowserPage(place, (address) => isOfBank(address, script))
  return {
    ...{ state, place, refusals, egress, page },
    way({ changed, wrap = (one) => one, stays = false }: WayOptions = {}) {
      const keeper = browserKeeper(async () => wrap(await page()))
      const way = bankWay({
        ...{ script: scriptOf(bank.origin, changed), keeper, stateDir: state, isShown: stays },
        ...{ browserFault: async () => undefined, clock: { now: () => Date.now() }, log, markMs: 3_000 },
      })
      return Object.assign(way, { [Symbol.asyncDispose]: () => keeper[Symbol.asyncDispose]() })
    },
    async logIn() {
      await using opened = await page()
      await opened.open(`${bank.origin}/login`)
      await opened.fill('input[name=user]', BANK_USER.user)
      await opened.fill('input[name=password]', BANK_USER.password)
      await opened.click('role=button[name="Sign in"]')
    },
    async [Symbol.asyncDispose]() {
      await egress[Symbol.asyncDispose]()
      rmSync(state, { recursive: true, force: true })
    },
  }
}
