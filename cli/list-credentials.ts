import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseGmailToken } from '#adapters/gmail/gmail-token.ts'
import { type CredentialList, type CredentialLook, credentialList } from '#core/credential-list.ts'
import { baseName, CREDENTIALS, type Credential, credentialsOf, modeFault } from '#core/credentials.ts'
import { CountersignError } from '#core/errors.ts'
import { parseConfig } from '#runtime/config.ts'
import { foreignCredentials } from '#runtime/credential-rules.ts'
import { gmailReadingAccountOf } from '#runtime/mail-accounts.ts'
import { mailboxSettings, ownerSettings } from '#runtime/settings.ts'
import { PROGRAM } from './cli.ts'
import { odooFindings } from './doctor-reach.ts'
import { renderTable, terminalText } from './table.ts'
import { environmentOf, type ZoneHome } from './zone-home.ts'

/** Beside the keys, and none. */
const NO_CREDENTIAL = /^\.|\.pub$|\.tmp$|^guard\.json$/
/** What a rotation leaves while it is under way. */
const HALF = ['.next', '.before']

/** Looks at every credential of a zone home, and at what else lies among them. `ask`: also asks Google and Odoo what the cloud's may do. */
export async function listCredentials(home: ZoneHome, ask: boolean, now: number): Promise<CredentialList> {
  onTheMachine(home, 'credentials')
  const env = environmentOf(home)
  const foreign = foreignCredentials({ ...env, COUNTERSIGN_HOME: home.root })
  const looks = await Promise.all(
    CREDENTIALS.map(async (credential) => {
      const places = foreign.filter((one) => one.credential.name === credential.name).map(({ file }) => file)
      const look = await lookAt(home, credential)
      const said = ask && look.since !== undefined ? await askedOf(credential, home, env) : {}
      return { ...look, ...said, ...(places.length > 0 && { foreign: [...new Set(places)] }) }
    }),
  )
  return credentialList(home.zone, looks, await unknownFiles(home), now)
}

/** Where the zone home has a credential: where its settings name it, else where it belongs. */
export function placeOf(home: ZoneHome, { setting, file }: Credential): string {
  const named = setting?.endsWith('_FILE') ? home.settings[setting] : undefined
  return named ?? join(home.root, file)
}

/** Throws ERR_USAGE inside a container, which sees no more than what it was given. */
export function onTheMachine(home: ZoneHome, command: string): void {
  if (existsSync(home.envFile)) return
  throw new CountersignError(
    'ERR_USAGE',
    `${command}: a container holds only some of the zone’s credentials; run it on the machine itself`,
  )
}

async function lookAt(home: ZoneHome, credential: Credential): Promise<CredentialLook> {
  const { name } = credential
  const place = placeOf(home, credential)
  const files = await filesAt(place)
  const seen = await Promise.all(files.map(async (file) => ({ file, ...(await looked(file)) })))
  const full = seen.filter(({ size }) => size > 0)
  const since = Math.max(...full.map(({ mtimeMs }) => mtimeMs))
  const loose = full.flatMap(({ file, mode }) => {
    const fault = place.startsWith(join(home.state, '/')) ? undefined : modeFault(mode)
    return fault ? [`${file} ${fault}`] : []
  })
  const endsAt = /^gmail-(read-)?token$/.test(name)
    ? parseGmailToken(await readFile(place, 'utf8').catch(() => ''))?.expiresAt
    : undefined
  return {
    ...{ name, place, loose, isHalfRotated: HALF.some((end) => existsSync(`${place}${end}`)) },
    ...(full.length > 0 && { since }),
    ...(endsAt !== undefined && { endsAt }),
  }
}

/** What whoever gave it says that it may do; only what the cloud holds can be too strong. */
async function askedOf(
  { name }: Credential,
  { zone }: ZoneHome,
  env: Record<string, string>,
): Promise<Pick<CredentialLook, 'tooStrong' | 'unasked'>> {
  if (zone !== 'cloud') return {}
  if (name === 'gmail-read-token') {
    const verdict = parseConfig({ ...mailboxSettings, ...ownerSettings }, env)
    if (!verdict.ok) return { unasked: verdict.faults.join('; ') }
    if (verdict.config.mailboxProvider !== 'gmail') return {}
    const { proveGmailReads } = await import('#adapters/gmail/prove-reading.ts')
    const { result, found } = await proveGmailReads(gmailReadingAccountOf(verdict.config))
    return result === 'ok' ? {} : { [result === 'failed' ? 'tooStrong' : 'unasked']: found }
  }
  if (name !== 'odoo-key') return {}
  const [finding] = await odooFindings(zone, env)
  if (finding?.result !== 'failed') return {}
  return { [/the cloud takes only/.test(finding.found) ? 'tooStrong' : 'unasked']: finding.found }
}

async function unknownFiles(home: ZoneHome): Promise<string[]> {
  const known = credentialsOf(home.zone)
  const isKnown = (folder: string, name: string) =>
    known.some(({ file }) => file.startsWith(folder) && ['', ...HALF].some((end) => `${baseName(file)}${end}` === name))
  const found = await Promise.all(
    (['keys', 'secrets'] as const).map(async (folder) => {
      const names = await readdir(home[folder]).catch(() => [])
      return names
        .filter((name) => !NO_CREDENTIAL.test(name) && !isKnown(folder, name))
        .map((name) => join(home[folder], name))
    }),
  )
  const foreign = CREDENTIALS.filter((one) => !known.includes(one)).map(({ file }) => join(home.root, file))
  return found.flat().filter((file) => !foreign.includes(file))
}

/** The file itself, or what lies directly in a folder. */
async function filesAt(place: string): Promise<string[]> {
  if (!place.endsWith('/')) return [place]
  const names = await readdir(place).catch(() => [])
  return names.filter((name) => !name.startsWith('.')).map((name) => join(place, name))
}

async function looked(file: string): Promise<{ size: number; mode: number; mtimeMs: number }> {
  const found = await stat(file).catch(() => undefined)
  if (!found) return { size: 0, mode: 0, mtimeMs: 0 }
  // Of a folder that a session keeps, that it is there is all that counts.
  return found.isDirectory() ? { size: 1, mode: 0, mtimeMs: found.mtimeMs } : found
}

/** For a terminal: two lines a credential, what is wrong below it. */
export function renderCredentials({ zone, ok, credentials, unknown }: CredentialList): string {
  const here = credentials.filter(({ isHere, faults }) => isHere || faults.length > 0)
  const head = renderTable(
    here.map((one) => [
      one.faults.length > 0 ? '✗' : one.notes.length > 0 ? '!' : '✓',
      one.name,
      one.zones.join(' and '),
      one.ageDays === undefined ? '' : `${one.ageDays} days old`,
      one.endsAt ? `until ${one.endsAt.slice(0, 10)}` : one.rotateBy ? `new one by ${one.rotateBy.slice(0, 10)}` : '',
    ]),
  ).split('\n')
  const blocks = here.flatMap((one, index) => [
    head[index] ?? '',
    `    ${one.what}; may ${one.may}`,
    `    ${terminalText(one.place, 200)}${one.readBy.length > 0 ? `, read by ${one.readBy.join(', ')}` : ''}`,
    ...one.faults.map(({ found, hint }) => `    ✗ ${terminalText(`${found}. ${hint}`, 500)}`),
    ...one.notes.map((note) => `    ! ${terminalText(note, 500)}`),
  ])
  const away = credentials.filter(({ isHere, faults }) => !isHere && faults.length === 0).map(({ name }) => name)
  return [
    ...blocks,
    ...(away.length > 0 ? [`Not here: ${away.join(', ')}.`] : []),
    ...unknown.map(
      (file) => `? ${terminalText(file, 200)}: nobody here knows what that is; remove it if nothing else needs it.`,
    ),
    ok
      ? `Nothing is wrong with the credentials of the ${zone} zone.`
      : `See ✗ above; ${PROGRAM} doctor looks at the rest.`,
  ].join('\n')
}
