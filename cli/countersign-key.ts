import type { KeyObject } from 'node:crypto'
import { access, constants, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type CountersignFile, parsePrivateKey, readCountersignFile } from '#adapters/keys/countersign-key.ts'
import { writeGuard } from '#adapters/keys/guard-file.ts'
import { CountersignError } from '#core/errors.ts'
import { SecretFile } from '#runtime/config.ts'
import { type Ask, withQuestions } from './init/questions.ts'
import { environmentOf, type ZoneHome } from './zone-home.ts'
import { knownSecrets } from './zone-secrets.ts'

const MIN_PASSPHRASE_CHARS = 12
const MAX_PASSPHRASE_CHARS = 1_000

/** How a command gets a passphrase: out of a file, or by asking on the terminal; undefined where there is none. */
export type AskOnTerminal = (<T>(use: (ask: Ask) => Promise<T>) => Promise<T>) | undefined

/** An opened countersigning key, and what opened it. */
export interface OpenedKey {
  readonly file: CountersignFile
  readonly key: KeyObject
  readonly passphrase: string | undefined
}

/** The terminal, when a person sits at one. */
export function terminalOf(json: boolean): AskOnTerminal {
  return process.stdin.isTTY === true && !json ? withQuestions : undefined
}

/**
 * The key file of this home. Throws ERR_ZONE_FORBIDDEN in the cloud, ERR_CONFIG_INVALID without the file, ERR_USAGE for
 * anybody but its owner, who would leave files that the zone's services cannot read.
 */
export async function ownKeyFile(home: ZoneHome, command: string): Promise<CountersignFile> {
  await requireOwner(home, command)
  return readCountersignFile(home.keys)
}

/** The same when the key was lost: what stands in its place, or nothing. */
export async function lostKeyFile(home: ZoneHome, command: string): Promise<CountersignFile> {
  await requireOwner(home, command)
  const path = join(home.keys, 'countersign.pem')
  return readCountersignFile(home.keys).catch(() => ({ path, pem: '', isLocked: false }))
}

async function requireOwner(home: ZoneHome, command: string): Promise<void> {
  if (home.zone !== 'local')
    throw new CountersignError(
      'ERR_ZONE_FORBIDDEN',
      `${command} in the ${home.zone} zone: it has no countersigning key`,
    )
  await access(home.keys, constants.W_OK).catch((cause: unknown) => {
    throw new CountersignError(
      'ERR_USAGE',
      `${command}: ${home.keys} cannot be written from here; run it on the machine itself, outside its containers`,
      { cause },
    )
  })
  const { uid } = await stat(home.keys)
  const mine = process.getuid?.()
  if (mine !== undefined && mine !== uid)
    throw new CountersignError(
      'ERR_USAGE',
      `${command} as user ${mine}: ${home.keys} belongs to user ${uid}; run it as that one, for instance with sudo -u '#${uid}'`,
    )
}

/**
 * Opens the key: with the passphrase in `givenFile`, else the one that the zone's settings name, else the one that the
 * person types. Throws ERR_KEY_LOCKED.
 */
export async function openKey(
  home: ZoneHome,
  file: CountersignFile,
  givenFile: string | undefined,
  terminal: AskOnTerminal,
): Promise<OpenedKey> {
  const openWith = (passphrase: string | undefined): OpenedKey => ({
    ...{ file, passphrase },
    key: parsePrivateKey(file.path, file.pem, passphrase),
  })
  if (!file.isLocked) return openWith(undefined)
  if (givenFile !== undefined) return openWith(passphraseIn(givenFile))
  const configured = configuredPassphrase(home)
  if (configured !== undefined && opens(file, configured)) return openWith(configured)
  if (!terminal) return openWith(configured)
  return openWith(await terminal((ask) => ask('Passphrase of the countersigning key', { hidden: true })))
}

/** Whether the key can be read without a passphrase. */
export function isOpen(file: CountersignFile): boolean {
  return opens(file, undefined)
}

/** Whether this is the passphrase of the key. */
export function opens({ path, pem }: CountersignFile, passphrase: string | undefined): boolean {
  try {
    parsePrivateKey(path, pem, passphrase)
    return true
  } catch {
    return false
  }
}

/** What the executor will be given at its next start; undefined: nothing, or a file that is away. */
export function configuredPassphrase(home: ZoneHome): string | undefined {
  const file = environmentOf(home).COUNTERSIGN_KEY_PASSPHRASE_FILE
  try {
    return file === undefined ? undefined : passphraseIn(file)
  } catch {
    return undefined
  }
}

/** A passphrase out of a file, without the line end. Throws ERR_CONFIG_INVALID. */
export function passphraseIn(path: string): string {
  return new SecretFile(resolve(path)).read()
}

/** A new passphrase, typed twice or out of a file. Throws ERR_USAGE when it is none that could be typed again. */
export async function newPassphrase(givenFile: string | undefined, terminal: AskOnTerminal): Promise<string> {
  if (givenFile !== undefined) {
    const passphrase = passphraseIn(givenFile)
    const fault = faultInPassphrase(passphrase)
    if (fault) throw new CountersignError('ERR_USAGE', `the passphrase in ${givenFile}: ${fault}`)
    return passphrase
  }
  if (!terminal)
    throw new CountersignError('ERR_USAGE', 'asking for a passphrase: there is no terminal; say --passphrase-file')
  return terminal(async (ask) => {
    const hidden = { hidden: true, faultIn: faultInPassphrase }
    const first = await ask(`New passphrase (${MIN_PASSPHRASE_CHARS} characters or more)`, hidden)
    const second = await ask('The same once more', { hidden: true })
    const fault = faultInPassphrase(first) ?? (first === second ? undefined : 'the two are not the same')
    if (fault) throw new CountersignError('ERR_USAGE', `the passphrase that was typed: ${fault}; nothing was changed`)
    return first
  })
}

export function faultInPassphrase(passphrase: string): string | undefined {
  const { length } = [...passphrase]
  if (length < MIN_PASSPHRASE_CHARS) return `it is shorter than ${MIN_PASSPHRASE_CHARS} characters`
  if (length > MAX_PASSPHRASE_CHARS) return `it is longer than ${MAX_PASSPHRASE_CHARS} characters`
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(passphrase)) return 'it has a character that nobody can see'
  return passphrase === passphrase.trim() ? undefined : 'it begins or ends with a space'
}

/** After a secret of the home was changed: sync has to know the present ones, to keep them out of the vault. */
export async function renewGuard(home: ZoneHome): Promise<string[]> {
  const outcome = await writeGuard(home.keys, await knownSecrets(home))
  return outcome === 'kept' ? [] : ['Restart sync, so that it keeps the key out of the vault as it is now.']
}
