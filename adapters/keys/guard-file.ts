import { randomBytes } from 'node:crypto'
import { chmod, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import type { KnownSecret } from '#core/secret-forms.ts'
import { parseGuard, renderGuard, type SecretGuard, saltOf } from '#core/secret-guard.ts'
import { secretsIn } from '#core/secret-values.ts'
import { replaceFile } from './replace-file.ts'

const GUARD_FILE = 'guard.json'
const SALT_BYTES = 32
const NO_SECRET = /^\.|\.pub$|\.tmp$|^(?:guard|mailboxes)\.json$/

/** The guard of a zone, from `<keysDir>/guard.json`. Throws ERR_GUARD_MISSING. */
export async function readGuard(keysDir: string): Promise<SecretGuard> {
  const path = join(keysDir, GUARD_FILE)
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new CountersignError('ERR_GUARD_MISSING', `reading ${path}: ${cause.code}`, { cause })
  })
  return parseGuard(text)
}

/** Whether `<keysDir>/guard.json` knows just these secrets. */
export async function isGuardFresh(keysDir: string, secrets: readonly KnownSecret[]): Promise<boolean> {
  const before = await currentGuard(keysDir)
  return before !== undefined && renderGuard(secrets, before.salt) === before.text
}

/** Makes the file know just these secrets. A file that does already is left as it is. */
export async function writeGuard(
  keysDir: string,
  secrets: readonly KnownSecret[],
): Promise<'made' | 'changed' | 'kept'> {
  const before = await currentGuard(keysDir)
  const text = renderGuard(secrets, before?.salt ?? randomBytes(SALT_BYTES))
  const path = join(keysDir, GUARD_FILE)
  if (text === before?.text) {
    await chmod(path, 0o600)
    return 'kept'
  }
  await replaceFile(path, text, 0o600)
  return before ? 'changed' : 'made'
}

/** The secrets in the files of a folder; public halves of keys are none. */
export async function secretsInFolder(dir: string): Promise<KnownSecret[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const secret = names.filter((name) => !NO_SECRET.test(name)).sort()
  return (await Promise.all(secret.map(async (name) => secretsIn(name, await readFile(join(dir, name)))))).flat()
}

/** undefined: there is none, or none that can be read; then it is made anew. */
async function currentGuard(keysDir: string): Promise<{ text: string; salt: Uint8Array } | undefined> {
  try {
    const text = await readFile(join(keysDir, GUARD_FILE), 'utf8')
    return { text, salt: saltOf(text) }
  } catch {
    return undefined
  }
}
