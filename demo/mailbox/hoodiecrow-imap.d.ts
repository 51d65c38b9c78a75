declare module 'hoodiecrow-imap' {
  import type { Server } from 'node:net'

  export interface HoodiecrowMailbox {
    readonly path: string
    readonly messages: readonly { readonly raw: string; readonly uid: number; readonly flags: readonly string[] }[]
  }
  export interface HoodiecrowConnection {
    server: HoodiecrowServer
    readonly state: string
  }
  type CommandHandler = (
    connection: HoodiecrowConnection,
    parsed: { attributes?: { value?: string }[] },
    data: unknown,
    callback: () => void,
  ) => void
  export interface HoodiecrowServer {
    readonly server: Server
    storage: Record<string, unknown>
    uidnextCache: Record<string, number>
    folderCache: Record<string, HoodiecrowMailbox>
    referenceNamespace: string | false
    indexFolders(): void
    getMailbox(path: string): HoodiecrowMailbox | undefined
    getCommandHandler(command: string): CommandHandler
    setCommandHandler(command: string, handler: CommandHandler): void
    /** `raw` is a binary string: one character a byte. */
    appendMessage(mailbox: HoodiecrowMailbox, flags: string[], internalDate: string | false, raw: string): void
    close(done: () => void): void
  }
  // biome-ignore lint/style/noDefaultExport: a CommonJS module, seen as its default import
  export default function hoodiecrow(options: {
    plugins: string[]
    users: Record<string, { password: string }>
    storage: Record<string, unknown>
  }): HoodiecrowServer
}
