import { readFile, stat } from 'node:fs/promises'
import { shownSize } from '#core/attachment.ts'
import { CountersignError } from '#core/errors.ts'
import { MAX_ATTACHMENT_BYTES } from '#core/path-ownership.ts'

/** A file that is to become part of the vault. Throws ERR_USAGE: none, unreadable, too large. */
export async function readWhole(file: string): Promise<Buffer> {
  const refuse = (why: string, cause?: unknown) =>
    new CountersignError('ERR_USAGE', `attaching ${file}: ${why}`, { cause })
  const stats = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw refuse(error.code ?? 'unreadable', error)
  })
  if (!stats.isFile()) throw refuse('it is no file')
  if (stats.size > MAX_ATTACHMENT_BYTES)
    throw refuse(`${shownSize(stats.size)}, at most ${shownSize(MAX_ATTACHMENT_BYTES)} are possible`)
  return readFile(file)
}
