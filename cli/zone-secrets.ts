import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { secretsInFolder } from '#adapters/keys/guard-file.ts'
import type { KnownSecret } from '#core/secret-forms.ts'
import { MIN_SECRET_BYTES } from '#core/secret-guard.ts'
import { passwordInUrl, secretsIn } from '#core/secret-values.ts'
import type { ZoneHome } from './zone-home.ts'

/** Every secret that a zone home holds: what `keys/guard.json` is to know. */
export async function knownSecrets(home: ZoneHome): Promise<KnownSecret[]> {
  // A passphrase that stands elsewhere does so because it comes and goes: it is not known here.
  const elsewhere = Object.entries(home.settings)
    .filter(([name]) => /(?:PASSWORD|TOKEN|SECRET|KEY)_FILE$/.test(name))
    .map(([, path]) => path)
  const files = [join(home.hub, 'ssh_host_ed25519_key'), ...elsewhere]
  const further = await Promise.all(
    files.map(async (path) => secretsIn(basename(path), await readFile(path).catch(() => Buffer.alloc(0)))),
  )
  const inSettings = Object.entries(home.settings).flatMap(([name, value]) =>
    secretsIn(name.replace(/^COUNTERSIGN_/, ''), Buffer.from(passwordInUrl(value) ?? '')),
  )
  return [
    ...(await secretsInFolder(home.keys)),
    ...(await secretsInFolder(home.secrets)),
    ...(await secretsInFolder(home.social)),
    ...(await secretsInFolder(home.mailboxes)),
    ...further.flat(),
    ...inSettings,
  ]
}

/** A new one that nobody has to know. `watch`: in the form that Redis's exporter reads, by the address it asks. */
export function randomSecret(origin: 'random' | 'watch'): string {
  if (origin === 'random') return randomBytes(24).toString('base64url')
  return JSON.stringify({ 'redis://watch@redis:6379': randomBytes(24).toString('hex') })
}

/** The names of those that are too short to be recognised. */
export function notGuardable(secrets: readonly KnownSecret[]): string[] {
  return [...new Set(secrets.filter(({ bytes }) => bytes.length < MIN_SECRET_BYTES).map(({ name }) => name))]
}
