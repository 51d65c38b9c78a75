import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { changeOver } from '#adapters/journal/change-over.ts'
import { type CountersignFile, renderPrivateKey, spkiOf } from '#adapters/keys/countersign-key.ts'
import { replaceFile } from '#adapters/keys/replace-file.ts'
import { readTrust, rotateCountersignKey } from '#adapters/keys/trust-files.ts'
import { publicIdentity } from '#adapters/keys/zone-keys.ts'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import { audienceOf, publicKeyFrom } from '#core/countersignature.ts'
import { CountersignError } from '#core/errors.ts'
import type { Clock } from '#core/ports/clock.ts'
import { readLedgers } from './audit.ts'
import { type AskOnTerminal, isOpen, lostKeyFile, openKey, ownKeyFile, renewGuard } from './countersign-key.ts'
import { writePairing } from './init/pairing.ts'
import type { ZoneHome } from './zone-home.ts'

export interface Rotation {
  /** Both as receipts name them. */
  readonly old: string
  readonly new: string
  readonly pairingFile: string
  /** What the person has to do besides. */
  readonly steps: readonly string[]
  /** An earlier run had died after the keys were exchanged; no other key was made. */
  readonly isFinished: boolean
}

export interface RotateOptions {
  readonly passphraseFile?: string
  /** Also while it is not known what became of a countersigned action. */
  readonly now?: boolean
  /** Nobody has the key, or its passphrase, any more: nothing is asked of it. */
  readonly lost?: boolean
}

/**
 * Puts a new countersigning key in the place of the old one, under the same passphrase, and remembers the old public key.
 * The zone has one whole key at every moment; a run that died is completed by the next. Whatever runs with the old key is
 * fenced off at the moment the new one stands there, so that nothing is done with the old one afterwards.
 */
export async function rotateKey(
  home: ZoneHome,
  options: RotateOptions,
  terminal: AskOnTerminal,
  clock: Clock,
): Promise<Rotation> {
  const file = await (options.lost ? lostKeyFile : ownKeyFile)(home, 'rotate')
  // What an earlier run put there has the passphrase of the key before it, or none when that was lost.
  const opened = options.lost && !isOpen(file) ? undefined : await openKey(home, file, options.passphraseFile, terminal)
  const present = opened && spkiOf(opened.key)
  if (present !== undefined && (await readFile(markerOf(home), 'utf8').catch(() => '')) === present) {
    changeOver(journalOf(home), (open) => refuseWhile(open, options))
    return finish(home, present, clock, true)
  }
  if ((await trustedKey(home)) !== present && !options.lost)
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      `rotating ${file.path}: it does not belong to the public key of ${home.agent} in ${home.trust}/agents.json; put the right file back`,
    )
  return finish(home, await exchange(home, file, opened?.passphrase, options), clock, false)
}

/** Gives the new public key. Until the rename nothing has changed, and after it the marker tells what is to be finished. */
async function exchange(
  home: ZoneHome,
  file: CountersignFile,
  passphrase: string | undefined,
  options: RotateOptions,
): Promise<string> {
  await removeLeftovers(home)
  const key = generateKeyPairSync('ed25519').privateKey
  const next = join(home.keys, `countersign-next-${randomBytes(6).toString('hex')}.pem`)
  try {
    await replaceFile(next, await renderPrivateKey(key, passphrase), 0o600)
    // Before it is anybody's key, so that no sync that is started from now on would carry it.
    await renewGuard(home)
    changeOver(journalOf(home), (open) => {
      refuseWhile(open, options)
      if ((existsSync(file.path) ? readFileSync(file.path, 'utf8') : '') !== file.pem)
        throw new CountersignError('ERR_USAGE', `rotating ${file.path}: it was changed meanwhile; run it again`)
      writeFileSync(markerOf(home), spkiOf(key), { flush: true })
      renameSync(next, file.path)
      syncFolder(home.keys)
    })
  } catch (error) {
    await rm(next, { force: true })
    await renewGuard(home)
    throw error
  }
  return spkiOf(key)
}

/** Everything that tells of the exchange; each step may have been made by a run that died. */
async function finish(home: ZoneHome, present: string, clock: Clock, isFinished: boolean): Promise<Rotation> {
  await rotateCountersignKey(home.trust, home.agent, present, new Date(clock.now()).toISOString())
  const { retired = [] } = await readTrust(home.trust)
  const before = retired.findLast((one) => one.name === home.agent)
  const names = {
    old: before ? audienceOf(publicKeyFrom(before.countersign)) : '',
    new: audienceOf(publicKeyFrom(present)),
  }
  if (!isFinished || !(await isRecorded(home, names.new))) {
    using ledger = openLedger({ vaultRoot: home.vault, stateDir: home.state, agent: home.agent, clock })
    await ledger.append('key.rotated', { data: names })
  }
  const pairingFile = await writePairing(home, await publicIdentity(home.root, home.zone, home.agent))
  const steps = await renewGuard(home)
  await removeLeftovers(home)
  return { ...names, pairingFile, steps, isFinished }
}

function refuseWhile(open: readonly string[], { now }: RotateOptions): void {
  if (open.length === 0 || now) return
  throw new CountersignError(
    'ERR_TASK_STATE',
    `rotating the countersigning key: it is not known yet what became of ${open.join(', ')}; let the executor settle that, or say --now`,
  )
}

async function isRecorded(home: ZoneHome, audience: string): Promise<boolean> {
  const { entries } = await readLedgers(home)
  return entries.flat().some((entry) => entry.type === 'key.rotated' && entry.data?.new === audience)
}

async function trustedKey(home: ZoneHome): Promise<string | null | undefined> {
  return (await readTrust(home.trust)).agents.find((one) => one.name === home.agent)?.countersign
}

async function removeLeftovers(home: ZoneHome): Promise<void> {
  const names = (await readdir(home.keys)).filter((name) => name.startsWith('countersign-next'))
  for (const name of names) await rm(join(home.keys, name), { force: true })
}

/** Holds the new public key from just before the exchange until all is told. */
function markerOf(home: ZoneHome): string {
  return join(home.keys, 'countersign-next.pub')
}

function journalOf(home: ZoneHome): string {
  return join(home.state, 'journal.sqlite')
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
