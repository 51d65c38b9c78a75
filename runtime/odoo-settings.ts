import { odooSettings, optionally } from './settings.ts'

/** The settings of the books for a service that also works without. */
export const optionalOdooSettings = {
  odooUrl: optionally(odooSettings.odooUrl),
  odooDb: optionally(odooSettings.odooDb),
  odooKey: optionally(odooSettings.odooKey),
  odooLogin: odooSettings.odooLogin,
}
