import { createHash } from 'node:crypto'
import { z } from 'zod'
import { CountersignError } from './errors.ts'
import { MAX_ATTACHMENT_BYTES } from './path-ownership.ts'
import type { MailFile } from './ports/mail.ts'
import { fileNameOf, parseVaultPath, type VaultPath, vaultPath } from './vault-path.ts'

/** All files of one mail, bytes. Mail servers usually take 25 MB, and a file grows by a third on its way. */
export const MAX_ATTACHED_BYTES = 15 * 1024 * 1024
const MAX_ATTACHED = 20

/** Endings under which nothing in an editor runs; any other file is kept in the vault as `.bin`. */
const TYPES: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  heic: 'image/heic',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  bmp: 'image/bmp',
  txt: 'text/plain',
  csv: 'text/csv',
  ics: 'text/calendar',
  vcf: 'text/vcard',
  eml: 'message/rfc822',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xls: 'application/vnd.ms-excel',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  ppt: 'application/vnd.ms-powerpoint',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  odt: 'application/vnd.oasis.opendocument.text',
  ods: 'application/vnd.oasis.opendocument.spreadsheet',
  odp: 'application/vnd.oasis.opendocument.presentation',
  rtf: 'application/rtf',
  zip: 'application/zip',
  gz: 'application/gzip',
  '7z': 'application/x-7z-compressed',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  wav: 'audio/wav',
}
const OTHER_TYPE = 'application/octet-stream'

/** Where a file of the vault stands that has this content. */
export function attachmentPath(fileName: string, sha256: string): VaultPath {
  const ending = endingOf(fileName)
  return vaultPath(`Attachments/${sha256}.${Object.hasOwn(TYPES, ending) ? ending : 'bin'}`)
}

function endingOf(fileName: string): string {
  return /\.([a-z0-9]{1,8})$/i.exec(fileName.trim())?.[1]?.toLowerCase() ?? ''
}

/** What every system takes for one file's name, and nothing that a reader would not see. */
const NAME = /^(?!\.)[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}/\\:*?"<>|]{1,120}(?<![. ])$/u

/** One file of a mail as it stands in the action: what the digest covers is its content. All values are text, as in front matter. */
export const attachmentSchema = z
  .strictObject({
    name: z.string().regex(NAME, 'not a plain file name'),
    path: z.string().max(100),
    size: z.string().regex(/^\d{1,9}$/, 'not a number of bytes'),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256'),
    type: z.string().regex(/^[a-z]+\/[a-z0-9][a-z0-9.+-]{0,99}$/, 'not a media type'),
  })
  .refine(({ path, sha256 }) => isPathOf(path, sha256), 'the path is not that of its content')
export type Attachment = z.output<typeof attachmentSchema>

/** Absent when there is none, so that a mail without files has one digest. */
export const attachmentsSchema = z
  .array(attachmentSchema)
  .min(1, 'leave it out when there is none')
  .max(MAX_ATTACHED)
  .refine((all) => totalOf(all) <= MAX_ATTACHED_BYTES, `more than ${MAX_ATTACHED_BYTES / 1024 / 1024} MiB together`)

function isPathOf(path: string, sha256: string): boolean {
  const verdict = parseVaultPath(path)
  return verdict.ok && verdict.place.kind === 'attachment' && fileNameOf(path).startsWith(sha256)
}

function totalOf(all: readonly Attachment[]): number {
  return all.reduce((sum, { size }) => sum + Number(size), 0)
}

/** How a file stands in the action of a mail. Throws ERR_USAGE: no plain name, empty, too large. */
export function describeFile(name: string, bytes: Uint8Array): Attachment {
  if (bytes.length === 0 || bytes.length > MAX_ATTACHMENT_BYTES)
    throw new CountersignError(
      'ERR_USAGE',
      `attaching ${JSON.stringify(name.slice(0, 200))}: ${bytes.length} bytes; from 1 to ${MAX_ATTACHMENT_BYTES} are possible`,
    )
  const sha256 = digestOf(bytes)
  const path = attachmentPath(name, sha256)
  const type = TYPES[endingOf(name)] ?? OTHER_TYPE
  const described = attachmentSchema.safeParse({ name, path, size: String(bytes.length), sha256, type })
  if (described.success) return described.data
  throw new CountersignError(
    'ERR_USAGE',
    `attaching ${JSON.stringify(name.slice(0, 200))}: ${described.error.issues[0]?.message}`,
  )
}

/**
 * The files as they were approved, each read once: what is sent is what was checked. Throws ERR_ATTACHMENT_CHANGED when
 * one is not there, or is another.
 */
export async function readFiles(
  attachments: readonly Attachment[],
  read: (path: VaultPath, maxBytes: number) => Promise<Uint8Array | undefined>,
): Promise<MailFile[]> {
  const files: MailFile[] = []
  for (const { name, path, size, sha256, type } of attachments) {
    const bytes = await read(vaultPath(path), MAX_ATTACHMENT_BYTES)
    const shown = `reading the attachment ${JSON.stringify(name)} (${path})`
    if (bytes === undefined) throw new CountersignError('ERR_ATTACHMENT_CHANGED', `${shown}: it is not there`)
    if (digestOf(bytes) !== sha256 || bytes.length !== Number(size))
      throw new CountersignError('ERR_ATTACHMENT_CHANGED', `${shown}: it is not the file that was approved`)
    files.push({ name, type, bytes })
  }
  return files
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** `3 bytes`, `12 kB`, `1.4 MB`. */
export function shownSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
