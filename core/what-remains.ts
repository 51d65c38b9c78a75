import type { CredentialList } from './credential-list.ts'
import type { Zone } from './zone-policy.ts'

/** Something that is still there after a zone was taken down, and how whoever wants it gone ends it. */
export interface Remaining {
  readonly what: string
  /** A path, or in words whoever has it. */
  readonly where: string
  readonly how: string
}

/** How others are told that a credential counts no longer. Those that end with the zone's own files are not here. */
const ENDED: Readonly<Record<string, string>> = {
  'imap-password': 'change the password, or withdraw this program’s own, at your mail provider',
  'smtp-password': 'change the password, or withdraw this program’s own, at your mail provider',
  'gmail-read-token': 'take it away at https://myaccount.google.com/connections',
  'gmail-token': 'take it away at https://myaccount.google.com/connections',
  'gmail-push-key':
    'delete it in Google’s console, under IAM, Service accounts, Keys; the topic and its subscription, too',
  mailboxes: 'withdraw each at its provider; mailboxes/mailboxes.json names them',
  'odoo-key': 'in Odoo, under Settings, Users: archive this zone’s user, which ends its keys',
  'anthropic-key': 'delete it at Anthropic’s site',
  'openai-key': 'delete it at that server’s site',
  social: 'withdraw each at its network; social/ has one file for each',
  whatsapp: 'on the telephone, under Linked devices, log this one out',
  browser: 'log the session out at your bank',
  'ntfy-token': 'withdraw it at the ntfy server',
  'webhook-secret': 'take it away at whoever receives the webhook',
  'deadman-url': 'delete the check at the dead-man’s switch, or it tells of silence for ever',
  'backup-s3-key': 'delete it at that server, last of all',
  'backup-ssh-key': 'take it out of authorized_keys there, last of all',
}

export interface ZonePlaces {
  readonly zone: Zone
  readonly agent: string
  readonly root: string
  readonly checkout: string
  /** Where backups go, if anywhere was named. */
  readonly backupTarget: string | undefined
  readonly credentials: CredentialList['credentials']
}

/** All that a zone leaves behind when its containers are gone, what others hold of it first. Nothing here is a secret. */
export function whatRemains(places: ZonePlaces): Remaining[] {
  const { zone, agent, root, checkout, backupTarget, credentials } = places
  const other = zone === 'cloud' ? 'local' : 'cloud'
  const project = `countersign-${zone}`
  const held = credentials.filter(({ isHere }) => isHere)
  return [
    ...held.flatMap(({ name, what, place }) => {
      const how = ENDED[name]
      return how === undefined ? [] : [{ what, where: place, how }]
    }),
    {
      what: 'what the other zone believes',
      where: `the ${other} zone’s trust/agents.json`,
      how: `there: countersign --zone ${other} trust revoke ${agent}`,
    },
    {
      what: 'the vault, the ledger and journal of what was done, keys, secrets and settings',
      where: root,
      how: `first keep the proofs if you need them (countersign --zone ${zone} audit export --help); then: rm -r ${quoted(root)}`,
    },
    ...(zone === 'cloud'
      ? [
          {
            what: 'the hub, with the history of the vault; with the profile odoo, the books too',
            where: `${root}/hub, ${root}/odoo, ${root}/odoo-db`,
            how: 'they go with the zone’s folder: your own machine has the vault, nothing else has the books',
          },
          {
            what: 'the machine’s name in DNS, open ports, the VM itself',
            where: 'at your provider',
            how: 'docs/deploy.md says what was made there; terraform destroy ends what Terraform made',
          },
        ]
      : []),
    {
      what: 'backups; whoever has their password can read them',
      where: backupTarget ?? `${root}/backups`,
      how: 'keep them, or delete that place; secrets/backup-password is their only key',
    },
    {
      what: 'figures and dashboards of the past',
      where: `the Docker volumes ${project}_prometheus and ${project}_grafana`,
      how: `docker volume rm ${project}_prometheus ${project}_grafana`,
    },
    {
      what: 'images',
      where: 'Docker',
      how: "docker image ls 'countersign/*' names them, docker image rm removes one",
    },
    {
      what: 'the program',
      where: checkout,
      how: `delete the folder; where they were made also /usr/local/bin/countersign and /etc/systemd/system/${project}.service`,
    },
  ]
}

/** For a POSIX shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}

/** The credentials that somebody else has to be told of. For a test that none was forgotten. */
export const ENDED_ELSEWHERE: readonly string[] = Object.keys(ENDED)
