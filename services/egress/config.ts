import type { ConfigOf, Setting } from '#runtime/config.ts'
import { modelSettings } from '#runtime/model-settings.ts'
import { optionalOdooSettings } from '#runtime/odoo-settings.ts'
import { folder, mailboxSettings, optional, processSettings, serverPort, setting, text } from '#runtime/settings.ts'
import { certificateSites, hostList, placeList, proofSettings } from '#runtime/site-settings.ts'

const anyHosts = hostList(/^[a-z0-9_.-]{1,253}$/i)
const inZone = (value: 'cloud' | 'local') => ({ name: 'COUNTERSIGN_ZONE', value })
function neededIn<T>(zone: 'cloud' | 'local', asked: Setting<T>): Setting<T | undefined> {
  return { ...asked, when: [...(asked.when ?? []), inZone(zone)] }
}

const { mailboxProvider, imapHost, imapPort, gmailTopic, gmailUrl } = mailboxSettings
const { modelLarge, modelSmall, anthropicUrl, openaiUrl } = modelSettings

/**
 * Settings of the only way out: in the local zone that of the browser which pays, in the cloud that of every container. What
 * may be reached there is what the zone's own settings name; none of the secrets is needed for it.
 */
export const egressSettings = {
  ...processSettings,
  banks: neededIn('local', setting('COUNTERSIGN_BANKS', folder())),
  ...proofSettings,
  egressPort: setting('COUNTERSIGN_EGRESS_PORT', serverPort(3128)),
  ...{ mailboxProvider, imapHost: neededIn('cloud', imapHost), imapPort, gmailTopic, gmailUrl },
  /** Read without its secrets. */
  mailboxesFile: setting('COUNTERSIGN_MAILBOXES_FILE', optional(text('the path of a file'))),
  ...{ modelLarge, modelSmall, anthropicUrl, openaiUrl },
  odooUrl: optionalOdooSettings.odooUrl,
  sites: certificateSites,
  backupTarget: setting('COUNTERSIGN_BACKUP_TARGET', optional(text('where backups go'))),
  /** What else the cloud may reach: whoever takes its alerts, a dead-man’s switch. */
  also: setting('COUNTERSIGN_EGRESS_ALSO', placeList()),
  /** Names that may lead into a private network. */
  privateHosts: setting('COUNTERSIGN_EGRESS_PRIVATE', anyHosts),
  /** The name of an Odoo beside it, which its own network leads to. */
  neighbours: setting('COUNTERSIGN_EGRESS_NEIGHBOUR', anyHosts),
}
export type EgressConfig = ConfigOf<typeof egressSettings>
