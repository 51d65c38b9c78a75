import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Finding } from '#core/finding.ts'
import type { Zone } from '#core/zone-policy.ts'
import { PROGRAM } from '../cli.ts'
import type { InitReport } from './init-zone.ts'
import { sshHost } from './pairing.ts'
import { pairingCode } from './pairing-code.ts'

/** In the image, of which there is a checkout where it is called (deploy/bin/countersign), or there. */
const REPOSITORY = import.meta.filename.endsWith('.ts') ? join(import.meta.dirname, '..', '..') : process.cwd()
/** What the compose files take when nothing is said. */
const CONTAINER_USER = 1000
const HUB_PORT = 2222

/** What the person does next, a line each, with commands that can be run as they stand here. */
export async function nextSteps(report: InitReport, findings: readonly Finding[]): Promise<string[]> {
  const { home, pairingFile, knows } = report
  const isPaired = knows.length > 1
  const { uid, gid } = await stat(home.root)
  const init = `${PROGRAM} init ${home.zone}${isStandardHome(report) ? '' : ` --home ${quoted(home.root)}`}`
  const steps: string[] = []
  if (findings.some((one) => one.check === 'settings' && one.result === 'failed'))
    steps.push(`complete ${home.envFile} and ${home.secrets}/ (one secret a file): what is missing is named above`)
  else if (findings.some((one) => one.result === 'failed'))
    steps.push(`mend what is marked ✗ above; the home is made all the same, and the rest can go on`)
  if (uid === 0)
    steps.push(`give the home to the containers’ user: ${init} --owner ${CONTAINER_USER}:${CONTAINER_USER}`)
  const overlays = composeOverlays(report)
  const up = `docker compose ${[`compose.${home.zone}.yml`, ...overlays].map((file) => `-f ${file}`).join(' ')} up -d`
  if (usesGmail(report) && !existsSync(join(home.secrets, home.zone === 'cloud' ? 'gmail-read-token' : 'gmail-token')))
    steps.push(`get a token for Gmail (docs/email.md): ${authCommand(report)} --client-file <client_secret.json>`)
  const start = `start this zone (the first time it builds the images, which takes minutes): ${[...composeSettings(report, uid, gid), up].join(' ')}`
  const check = `see that all is well: ${PROGRAM} doctor${isStandardHome(report) ? '' : ` --home ${quoted(home.root)}`}`
  if (home.zone === 'local' && !isPaired)
    return [
      ...steps,
      `get the line for this machine from the cloud machine, where ${PROGRAM} init cloud ends with it; here: ${init} --pair cs1-…`,
    ]
  if (home.zone === 'local')
    return [
      ...steps,
      ...(await carrySteps(pairingFile, 'cloud')),
      `start the cloud zone there, with the command that this ends with`,
      start,
      `${check}; then open ${home.vault} in your editor`,
    ]
  if (!sshHost(report.hubUrl ?? ''))
    steps.push(`say how your own machine reaches this one: ${init} --hub-host <this machine's name or address>`)
  return isPaired ? [...steps, start, check] : [...steps, ...(await carrySteps(pairingFile, 'local'))]
}

/** The other machine is given this one's keys by a line that holds them, or by the file. */
async function carrySteps(pairingFile: string, other: Zone): Promise<string[]> {
  const there = other === 'cloud' ? 'on the cloud machine' : 'on your own machine'
  // Made for this report: it is there, and whole.
  const code = pairingCode(await readFile(pairingFile, 'utf8'))
  const noNode = other === 'cloud' ? '; on a VM without Node: sudo countersign in the place of npx countersign' : ''
  return [
    `${there}, in its checkout of Countersign: ${other === 'local' ? 'npx countersign' : PROGRAM} init ${other} --pair ${code}`,
    `(where a line cannot be pasted, carry ${pairingFile} there and name the file after --pair${noNode})`,
  ]
}

function authCommand(report: InitReport): string {
  const { zone, root } = report.home
  return `${PROGRAM} auth gmail ${isStandardHome(report) ? `--zone ${zone}` : `--home ${quoted(root)}`}`
}

function usesGmail({ home: { settings } }: InitReport): boolean {
  return settings.COUNTERSIGN_MAILBOX_PROVIDER === 'gmail' || settings.COUNTERSIGN_MAIL_PROVIDER === 'gmail'
}

/** The files to be laid over the zone's own, for what its home has. */
function composeOverlays({ home }: InitReport): string[] {
  return [
    ...(home.settings.COUNTERSIGN_MAILBOX_PROVIDER === 'gmail' ? [`compose.${home.zone}-gmail.yml`] : []),
    ...(home.zone === 'cloud' && existsSync(join(home.mailboxes, 'mailboxes.json'))
      ? ['compose.cloud-mailboxes.yml']
      : []),
  ]
}

/** What compose has to be told because it is not what its file takes by itself. */
function composeSettings(report: InitReport, uid: number, gid: number): string[] {
  const { home, hubUrl = '' } = report
  const port = sshHost(hubUrl)?.port ?? HUB_PORT
  const isOther = uid !== 0 && (uid !== CONTAINER_USER || gid !== CONTAINER_USER)
  return [
    ...(isStandardHome(report) ? [] : [`COUNTERSIGN_${home.zone.toUpperCase()}_HOME=${quoted(home.root)}`]),
    ...(isOther ? [`COUNTERSIGN_UID=${uid} COUNTERSIGN_GID=${gid}`] : []),
    ...(port === HUB_PORT ? [] : [`COUNTERSIGN_HUB_PORT=${port}`]),
  ]
}

function isStandardHome({ home }: InitReport): boolean {
  return home.root === join(REPOSITORY, 'zones', home.zone)
}

function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
