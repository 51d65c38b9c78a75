import { ACTING_CODE } from './acting-code.ts'
import { foreignTo, isAt, readBy } from './credentials.ts'
import type { Finding } from './finding.ts'
import type { Attempt, ContainerLook } from './ports/container-look.ts'

/** One service of the cloud zone, as it tells of itself. */
export interface ServiceProof {
  readonly service: string
  readonly look: ContainerLook
  /** What it tried with what it holds: a token, a key, the hub. */
  readonly findings: readonly Finding[]
}

/** A service that was asked; `why`: it gave no account of itself. */
export type AskedService = ServiceProof | { readonly service: string; readonly why: string }

export interface ProofLine extends Finding {
  /** Who tried it; undefined: all of them. */
  readonly service?: string
}

export type ProofVerdict = 'holds' | 'broken' | 'incomplete'

export interface ProofDocument {
  /** When it was made, ISO 8601 UTC. */
  readonly at: string
  /** broken: something was found that must not be. incomplete: nothing was, and something could not be looked at. */
  readonly verdict: ProofVerdict
  readonly lines: readonly ProofLine[]
  /** What nobody can see from inside the zone. */
  readonly limits: readonly string[]
}

/** Nothing answers there, whoever asks: the domain is reserved. Ports: one that is usual, and those by which mail is sent. */
export const NOBODY = 'prove.countersign.invalid'
export const ASKED_OF_EGRESS: readonly string[] = [443, 25, 465, 587].map((port) => `${NOBODY}:${port}`)

/** What lies where secrets do, and is none. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  drafter: ['odoo-ca'],
  sync: ['guard.json', '.env.cloud'],
}
const FOREIGN = foreignTo('cloud')
/** Who copies the whole of the zone, and so has to be able to read it. */
const READS_ALL = ['backup']
/** What may hold a secret that acts, under a name that nobody knows. */
const ACTS = /smtp|send|countersign|whatsapp|session|bank|sepa|social|gmail-token|passphrase/i
const LOCAL_SETTINGS =
  /^COUNTERSIGN_(SMTP_|GMAIL_TOKEN|MAIL_PROVIDER|WHATSAPP|BANK|BROWSER|SEPA|SOCIAL_SECRETS|KEY_PASSPHRASE|NOTIFY_)/
/** Its own endpoints, and the way out. */
const PORTS: Readonly<Record<string, readonly number[]>> = { egress: [8080, 3128] }
const OWN_PORTS = [8080]

const REMOVE = 'Take it out of the compose files (and whatever you lay over them), then `docker compose up -d`.'
const NEXT = {
  secret:
    'Take it out of this zone: it belongs to the local one. Then replace it at whoever gave it, since this machine had it.',
  image:
    'Build the images anew from a checkout that you trust: `docker compose -f compose.cloud.yml build --no-cache`.',
  network:
    'Compare your compose files with compose.cloud.yml: this service is on a network that leads out (docs/egress.md).',
  answer:
    '`docker compose -f compose.cloud.yml logs <service>` says why; it may have refused to start for a reason that belongs here.',
} as const

const LIMITS: readonly string[] = [
  'Everything here is told by the zone itself. A machine that somebody has taken over can lie; what holds then is your own machine’s gate (SECURITY.md).',
  'Ports that the machine shows to the world: `docker compose -f compose.cloud.yml ps` lists them, its firewall decides.',
  'Containers of other people’s programs (Redis, Prometheus, exporters, Grafana, Caddy, Odoo) and the hub’s own files: only the compose files tell what they hold.',
  'Whether the password that reads a mailbox could send as well, at its provider: no container reaches a port to try it.',
  'Files in the zone’s folder that no container is given.',
]

/** One page of what was tried, by all services together. `at`: now, ISO 8601 UTC. */
export function proofOf(asked: readonly AskedService[], more: readonly Finding[], at: string): ProofDocument {
  const proofs = asked.filter((one) => 'look' in one)
  const lines: ProofLine[] = [
    ...asked.flatMap((one) => ('why' in one ? [silent(one)] : [])),
    together(proofs, 'Docker’s socket is in no container', socketFindings),
    together(proofs, 'no container runs as root or with rights of the kernel', rightsFindings),
    together(proofs, 'secrets in each container are those it has a use for', secretFindings),
    together(proofs, 'no program in the images holds code that acts', codeFindings),
    together(proofs, 'no browser is in the images', browserFindings),
    together(proofs, 'containers listen on their own ports only', portFindings),
    directLine(proofs),
    throughLine(proofs),
    ...proofs.flatMap(({ service, findings }) => findings.map((finding) => ({ ...finding, service }))),
    ...more,
  ]
  const has = (result: Finding['result']) => lines.some((line) => line.result === result)
  return { at, verdict: has('failed') ? 'broken' : has('skipped') ? 'incomplete' : 'holds', lines, limits: LIMITS }
}

function silent({ service, why }: { readonly service: string; readonly why: string }): ProofLine {
  return { service, check: 'gives an account of itself', result: 'skipped', found: why, hint: NEXT.answer }
}

interface Faults {
  readonly found: readonly string[]
  readonly hint: string
  readonly isUnknown?: boolean
}

/** One line for all: good when none has a fault. */
function together(proofs: readonly ServiceProof[], check: string, judge: (proof: ServiceProof) => Faults): ProofLine {
  if (proofs.length === 0) return { check, result: 'skipped', found: 'no service gave an account of itself' }
  const judged = proofs.map((proof) => ({ service: proof.service, ...judge(proof) }))
  const bad = judged.filter(({ found }) => found.length > 0)
  const [first] = bad
  if (!first) return { check, result: 'ok', found: `looked in ${proofs.map(({ service }) => service).join(', ')}` }
  const found = bad.map((one) => `${one.service}: ${one.found.join(', ')}`).join('; ')
  return { check, result: bad.every(({ isUnknown }) => isUnknown) ? 'skipped' : 'failed', found, hint: first.hint }
}

function socketFindings({ look }: ServiceProof): Faults {
  return { found: look.sockets, hint: `Whoever has it has the machine. ${REMOVE}` }
}

function rightsFindings({ look: { uid, capabilities, noNewPrivileges } }: ServiceProof): Faults {
  const found = [
    ...(uid === 0 ? ['it runs as root'] : []),
    ...(capabilities !== undefined && !/^0+$/.test(capabilities) ? [`it has capabilities (${capabilities})`] : []),
    ...(noNewPrivileges === false ? ['it may gain privileges'] : []),
  ]
  if (found.length === 0 && capabilities === undefined)
    return { found: ['the kernel does not say'], hint: 'Run prove inside the container.', isUnknown: true }
  return { found, hint: REMOVE }
}

function secretFindings({ service, look }: ServiceProof): Faults {
  const isAllowed = (path: string, name: string) =>
    BESIDE[service]?.includes(name) || readBy('cloud', service).some((one) => isAt(path, one))
  const found = look.secrets.flatMap(({ path, isEmpty }) => {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const acts = FOREIGN.some((one) => isAt(path, one)) || ACTS.test(name)
    if (isEmpty || (!acts && (READS_ALL.includes(service) || isAllowed(path, name)))) return []
    return [acts ? `${path} is a secret that acts` : `${path}, which it has no use for`]
  })
  const settings = look.settings.filter((name) => LOCAL_SETTINGS.test(name)).map((name) => `the setting ${name}`)
  return { found: [...found, ...settings], hint: NEXT.secret }
}

function codeFindings({ look }: ServiceProof): Faults {
  const acting = look.sources.flatMap(({ program, files }) =>
    files.filter((file) => ACTING_CODE.some((pattern) => pattern.test(file))).map((file) => `${file} in ${program}`),
  )
  if (acting.length > 0) return { found: acting.slice(0, 5), hint: NEXT.image }
  const isOurs = look.sources.length > 0 && look.sources.every(({ files }) => files.includes('core/errors.ts'))
  if (isOurs) return { found: [], hint: '' }
  return { found: ['its programs do not say what they were made of'], hint: NEXT.image, isUnknown: true }
}

function browserFindings({ look }: ServiceProof): Faults {
  return { found: look.browsers, hint: NEXT.image }
}

function portFindings({ service, look }: ServiceProof): Faults {
  const usual = PORTS[service] ?? OWN_PORTS
  return { found: look.ports.filter((port) => !usual.includes(port)).map((port) => `port ${port}`), hint: REMOVE }
}

/** Past the way out nothing is reached. That only says something where the way out itself does reach it. */
function directLine(proofs: readonly ServiceProof[]): ProofLine {
  const check = 'no container reaches the internet past the way out'
  const others = proofs.filter(({ service }) => service !== 'egress')
  const reached = others.flatMap(({ service, look }) =>
    connected(look.direct).map((place) => `${service} reaches ${place}`),
  )
  if (reached.length > 0) return { check, result: 'failed', found: reached.join('; '), hint: NEXT.network }
  const control = proofs.find(({ service }) => service === 'egress')
  const places = control ? connected(control.look.direct) : []
  const tried = others.filter(({ look }) => places.some((place) => look.direct.some((one) => one.place === place)))
  if (others.length === 0 || tried.length < others.length)
    return {
      ...{ check, result: 'skipped', hint: 'COUNTERSIGN_PROVE_OUTSIDE=host:port names a place that egress can reach.' },
      found: 'not even the way out reaches the place that was tried, so that nobody else reaches it says nothing',
    }
  return { check, result: 'ok', found: `${places.join(', ')}: egress reaches it, ${names(others)} do not` }
}

function throughLine(proofs: readonly ServiceProof[]): ProofLine {
  const check = 'the way out lets nobody through to a place that is not on its list, nor to a port for sending mail'
  const asked = proofs.filter(({ look }) => look.through.length > 0)
  const wrong = asked.flatMap(({ service, look }) =>
    look.through
      .filter(({ outcome }) => outcome !== '403')
      .map(({ place, outcome }) => `${service} asked for ${place}: ${outcome}`),
  )
  const let_through = wrong.filter((one) => /: (200|502)$/.test(one))
  if (let_through.length > 0) return { check, result: 'failed', found: let_through.join('; '), hint: NEXT.image }
  if (asked.length === 0 || wrong.length > 0)
    return { check, result: 'skipped', found: wrong.join('; ') || 'nobody could ask it', hint: NEXT.answer }
  return { check, result: 'ok', found: `${names(asked)} asked and were refused` }
}

function connected(attempts: readonly Attempt[]): string[] {
  return attempts.filter(({ outcome }) => outcome === 'connected').map(({ place }) => place)
}

function names(proofs: readonly ServiceProof[]): string {
  return proofs.map(({ service }) => service).join(', ')
}
