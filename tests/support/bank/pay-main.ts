import { join } from 'node:path'
import { bankWay } from '#adapters/browser/bank-way.ts'
import { browserKeeper } from '#adapters/browser/browser-keeper.ts'
import { openBrowserPage } from '#adapters/browser/browser-page.ts'
import { isOfBank } from '#core/bank-script.ts'
import { CHROMIUM, ORDER, scriptOf, watched } from './browser.ts'

// A process that pays once and says what came of it, or dies at the step it is told: node pay-main.ts '{…}'

const { state, origin, proxy, spki, key, dieAt } = JSON.parse(process.argv[2] ?? '{}')
const script = scriptOf(origin)
const place = {
  ...({ kind: 'child', executable: CHROMIUM, folder: join(state, 'browser'), proxy, isShown: false } as const),
  ...{ hasSandbox: process.getuid?.() !== 0, trustedKeys: [spki] },
}
const keeper = browserKeeper(async () =>
  watched(await openBrowserPage(place, (address) => isOfBank(address, script)), (step) => {
    if (step === dieAt) process.kill(process.pid, 'SIGKILL')
  }),
)
const log = { debug() {}, info() {}, warn() {}, error() {} }
const way = bankWay({
  ...{ script, keeper, stateDir: state, isShown: false, browserFault: async () => undefined },
  ...{ clock: { now: () => Date.now() }, log, markMs: 10_000 },
})
process.stdout.write(`${JSON.stringify(await way.pay(ORDER, key))}\n`)
await keeper[Symbol.asyncDispose]()
