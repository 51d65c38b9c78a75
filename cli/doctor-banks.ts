import { access, constants } from 'node:fs/promises'
import type { Finding } from '#core/finding.ts'
import type { Zone } from '#core/zone-policy.ts'
import { bankSettings } from '#runtime/bank-settings.ts'
import { parseConfig } from '#runtime/config.ts'
import { zoneSettings } from '#runtime/settings.ts'
import { attempt } from './finding.ts'

/** Reads every bank's script, and looks whether there is a browser. No bank is asked. */
export async function bankFindings(zone: Zone, env: Record<string, string>): Promise<Finding[]> {
  const verdict = parseConfig({ ...bankSettings, vault: zoneSettings.vault }, env)
  if (zone !== 'local' || !verdict.ok || verdict.config.banks === undefined) return []
  const { banks, vault, browserServer, browserProgram } = verdict.config
  const { readBankScripts } = await import('#adapters/browser/open-banks.ts')
  let count = 0
  const scripts = await attempt('banks', '', async () => {
    const read = await readBankScripts(banks, vault)
    count = read.length
    return count === 0 ? 'no script: none is paid at through its pages' : read.map((one) => one.title).join(', ')
  })
  if (count === 0 || browserServer !== undefined) return [scripts]
  const browser = await attempt('browser', browserProgram, () => access(browserProgram, constants.X_OK))
  return [scripts, browser]
}
