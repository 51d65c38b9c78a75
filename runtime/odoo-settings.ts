import { statSync } from 'node:fs'
import { odooSettings, optional, optionally, secretFile, setting } from './settings.ts'

/** An empty file, which containers mount where there is none, is no key. */
const keyFile = optional(
  secretFile().transform((file) => (statSync(file.path, { throwIfNoEntry: false })?.size === 0 ? undefined : file)),
)

/** The settings of the books for a service that also works without. */
export const optionalOdooSettings = {
  odooUrl: optionally(odooSettings.odooUrl),
  odooDb: optionally(odooSettings.odooDb),
  odooKey: setting(odooSettings.odooKey.name, keyFile),
  odooLogin: odooSettings.odooLogin,
}
