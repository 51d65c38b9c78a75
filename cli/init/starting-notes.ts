import { DOMAINS } from '#core/vault-path.ts'
import type { Zone } from '#core/zone-policy.ts'

/** Folders of a new vault. Git carries no empty folders, so each zone makes its own. */
export function startingFolders(zone: Zone): string[] {
  return [
    'Inbox',
    ...DOMAINS.map((domain) => `Needs_Action/${domain}`),
    'Plans',
    'Examples',
    `In_Progress/${zone}`,
    ...DOMAINS.map((domain) => `Pending_Approval/${domain}`),
    'Approved',
    'Rejected',
    'Done',
    `Updates/${zone}`,
    `Logs/${zone}`,
    'Attachments',
  ]
}

/**
 * For whoever runs a git of their own in the vault. Documentation: sync never reads it, and carries what is on its list
 * of folders and names, whatever this file says.
 */
export const VAULT_GITIGNORE = `# What must never be committed, for a git of your own. Countersign does not rely on this file: it carries only the
# folders and names of its contract, and looks into each file for secrets.
.env*
*.session
*.sqlite
*.pem
*.key
*.p12
*.kdbx
id_rsa*
id_ed25519*
credentials*.json
token*.json
storageState*.json
banking/
secrets/
keys/
.wwebjs_auth/
.wwebjs_cache/
auth_info_*/
.obsidian/
.vscode/
.trash/
`

/** The person's notes. Only the local zone may write them; the cloud gets them through the hub. */
export function startingNotes(zone: Zone, ownerName: string): Readonly<Record<string, string>> {
  const both = { '.gitignore': VAULT_GITIGNORE }
  if (zone === 'cloud') return both
  return { ...both, 'Company_Handbook.md': handbook(ownerName), 'Business_Goals.md': GOALS }
}

const handbook = (ownerName: string) => `# Company handbook

The drafter reads this before it writes. Only you change it.

## Tone

Friendly, short, concrete. Answer the question first.

## Signature

${ownerName || 'Your name'}

## Do

- Offer a next step with a date.
- Say plainly when something is not known yet.

## Never

- Promise prices, discounts or delivery dates.
- Mention other clients.

## Answers

<!-- What may be told to anybody who asks: a heading for each. Take it out of the comment as you need it.
### Opening hours
Monday to Friday, 9 to 17.
-->

## Rules

<!-- Your machine keeps to these. Take them out of the comment as you need them; docs/handbook.md lists what can be written.
- Time zone: Europe/Berlin
- Quiet hours: 20:00-07:00 on weekdays, all day on Saturday and Sunday
- At most 10 recipients
- At most 20 mails per hour
- Ask for a code over 500 EUR
- Always flag: rival.example
-->

## Triage

<!-- How mail is sorted; docs/triage.md lists what can be written.
- Mail from @bank.example: skip
- "invoice request" in the subject: accounting
- from anna@client.example: urgent
-->

## Known contacts

| who | address | notes |
| --- | --- | --- |
`

const GOALS = `# Business goals

What you work towards; the source for posts and plans. Only you change it.

## This quarter

-

## Audience

-

## Posts

<!-- What is to be drafted and when; docs/triage.md lists what can be written.
- Time zone: Europe/Berlin
- every Monday 09:00 LinkedIn: what we learnt this week
-->
`

/** For the folder of the owner's own skills. */
export const SKILLS_README = `# Your skills

What stands here goes before the skills that came with the program, file by file, from the next draft on; no restart is needed.

To change how replies are drafted, copy \`skills/cloud-draft-email/SKILL.md\` of the program to
\`cloud-draft-email/SKILL.md\` in this folder and edit it there. To change only the template that is used without a model, put
\`cloud-draft-email/assets/reply.en.md\` here. Remove a file, and the program's own counts again.

\`countersign doctor\` says when something here cannot be read; the program's docs/skills.md says what may stand in a skill.
This folder is never synchronised.
`
