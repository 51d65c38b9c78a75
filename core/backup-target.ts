/** Where backups go. */
export type BackupTarget =
  | { readonly kind: 'path' }
  /** `address` is what ssh is given: `user@host`. */
  | { readonly kind: 'sftp'; readonly address: string; readonly host: string; readonly port: number }
  | { readonly kind: 's3'; readonly host: string; readonly port: number }

const SFTP = /^sftp:(\/\/)?((?:[\w.-]+@)?([A-Za-z0-9][\w.-]*?))(?::(\d{1,5}))?(\/|:)/
const S3 = /^s3:(https?):\/\/([A-Za-z0-9][\w.-]*)(?::(\d{1,5}))?\//

/** Undefined: the text names no place that backups can go to, or has a password in it. */
export function parseBackupTarget(text: string): BackupTarget | undefined {
  if (/[\0\r\n]/.test(text)) return undefined
  if (text.startsWith('/')) return { kind: 'path' }
  const [, slashes, address, host, port] = SFTP.exec(text) ?? []
  // Only with slashes is a number after the host its port.
  if (address && host && (slashes !== undefined || port === undefined))
    return { kind: 'sftp', address, host, port: Number(port ?? 22) }
  const [, protocol, server, at] = S3.exec(text) ?? []
  return server ? { kind: 's3', host: server, port: Number(at ?? (protocol === 'https' ? 443 : 80)) } : undefined
}
