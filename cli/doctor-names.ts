import { lookup, resolve4, resolve6 } from 'node:dns/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Finding } from '#core/finding.ts'
import { PROGRAM } from './cli.ts'

/** Addresses of a name; none when there is no such name. */
export type Resolve = (name: string) => Promise<readonly string[]>

/** As everyone else sees it: a machine's own list of names often has itself under its name. */
const resolveName: Resolve = async (name) => {
  if (isIP(name)) return [name]
  const none = (error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOTFOUND' || error.code === 'ENODATA') return []
    throw error
  }
  return (await Promise.all([resolve4(name).catch(none), resolve6(name).catch(none)])).flat()
}

/** Whether the name by which the owner's machine is to find the hub is one. */
export async function hubNameFindings(hubHost: string | undefined): Promise<Finding[]> {
  if (hubHost === undefined || isIP(hubHost)) return []
  const check = `name ${hubHost}`
  return lookup(hubHost).then(
    ({ address }): Finding[] => [{ check, result: 'ok', found: `is known (${address})` }],
    (error: NodeJS.ErrnoException): Finding[] =>
      error.code === 'ENOTFOUND'
        ? [
            {
              check,
              result: 'failed',
              found: 'no such name is known: your own machine would not find the hub',
              hint: `Correct it: ${PROGRAM} init cloud --hub-host <name or address of this machine>; then pair once more`,
            },
          ]
        : [{ check, result: 'skipped', found: `the name server does not answer (${error.code})` }],
  )
}

/**
 * Whether the names of this machine's sites lead to it. What its addresses are from outside it cannot see (many providers put
 * another in front), so what counts besides its own is where the hub's name leads, by which the owner's machine reaches it.
 */
export async function siteFindings(
  sites: readonly string[],
  hubHost: string | undefined,
  {
    resolve = resolveName,
    own = ownAddresses(),
  }: { readonly resolve?: Resolve; readonly own?: readonly string[] } = {},
): Promise<Finding[]> {
  if (sites.length === 0) return []
  const ofHub = hubHost === undefined ? [] : await resolve(hubHost).catch(() => [])
  const here = new Set([...own, ...ofHub])
  return Promise.all(sites.map((site) => siteFinding(site, here, ofHub.length > 0 ? hubHost : undefined, resolve)))
}

async function siteFinding(
  site: string,
  here: ReadonlySet<string>,
  hubHost: string | undefined,
  resolve: Resolve,
): Promise<Finding> {
  const check = `name ${site}`
  const wait =
    'Wait until doctor finds it before you start Caddy: the authority refuses a name for an hour after five failures.'
  let leads: readonly string[]
  try {
    leads = await resolve(site)
  } catch (error) {
    return { check, result: 'skipped', found: `the name server does not answer (${(error as Error).message})` }
  }
  if (leads.length === 0)
    return {
      check,
      result: 'failed',
      found: 'no such name in DNS',
      hint: `At whoever keeps your domain, give ${site} an A record with this machine's public address. ${wait}`,
    }
  const astray = leads.filter((address) => !here.has(address))
  if (astray.length === 0) return { check, result: 'ok', found: `leads here (${leads.join(', ')})` }
  if (hubHost === undefined)
    return {
      check,
      result: 'skipped',
      found: `leads to ${leads.join(', ')}; whether that is here cannot be seen from here`,
    }
  return {
    check,
    result: 'failed',
    found: `leads to ${astray.join(', ')}, and this machine is at ${[...here].join(', ')}`,
    hint: `At whoever keeps your domain, correct the records (A, and AAAA if there is one) of ${site}. ${wait}`,
  }
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flat()
    .flatMap((one) => (one && !one.internal ? [one.address] : []))
}
