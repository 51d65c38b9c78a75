import { lookup } from 'node:dns/promises'

/** All addresses that a name stands for: of several replicas, each one's. None where it stands for nothing. */
export async function addressesOf(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true }).catch(() => []) // Whoever asks there next hears why.
  return found.map(({ address }) => address)
}
