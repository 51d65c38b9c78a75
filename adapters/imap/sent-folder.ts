import type { ImapFlow } from 'imapflow'

const SENT_NAMES = /^(?:INBOX[./])?Sent(?: (?:Items|Messages|Mail))?$/i

/** Where the account keeps what was sent: what the server says, else what it is usually called. */
export async function sentFolder(client: ImapFlow): Promise<string | undefined> {
  const folders = await client.list()
  const byUse = folders.find((folder) => folder.specialUse === '\\Sent')
  return (byUse ?? folders.find((folder) => SENT_NAMES.test(folder.path)))?.path
}
