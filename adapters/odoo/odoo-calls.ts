import type { OdooCalls } from './calls.ts'
import type { OdooAccount } from './http.ts'
import { json2 } from './json2.ts'
import { FIRST_JSON2, FIRST_SUPPORTED, odooVersion, tooOld } from './version.ts'
import { xmlRpc } from './xml-rpc.ts'

/**
 * Calls by the protocol that fits the server: JSON-2 where it has it, XML-RPC before. The version is asked for once, before
 * the first call; every call throws ERR_ODOO_UNSUPPORTED where it is too old.
 */
export function odooCalls(account: OdooAccount): OdooCalls {
  let chosen: OdooCalls | undefined
  const choose = async (): Promise<OdooCalls> => {
    if (chosen) return chosen
    const version = await odooVersion(account)
    if (version < FIRST_SUPPORTED) throw tooOld(version, account)
    const calls = version < FIRST_JSON2 ? xmlRpc(account) : json2(account)
    chosen = { ...calls, version: async () => version }
    return chosen
  }
  return {
    version: async () => (await choose()).version(),
    userId: async () => (await choose()).userId(),
    read: async (...call) => (await choose()).read(...call),
    write: async (...call) => (await choose()).write(...call),
  }
}
