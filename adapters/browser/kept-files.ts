import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { CountersignError } from '#core/errors.ts'
import type { Evidence } from '#core/ports/payment.ts'

/** Pictures of what the bank showed, on this machine only: `evidence/<sha256>.png`. */
export async function keepEvidence(stateDir: string, picture: Uint8Array): Promise<Evidence> {
  const hash = createHash('sha256').update(picture).digest('hex')
  await writeOnce(join(stateDir, 'evidence'), `${hash}.png`, picture)
  return `sha256:${hash}`
}

/** Where the pictures lie whose digests begin so. */
export async function evidenceFiles(stateDir: string, beginning: Evidence): Promise<string[]> {
  const folder = join(stateDir, 'evidence')
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => name.startsWith(beginning.replace(/^sha256:/, ''))).map((name) => join(folder, name))
}

const schema = z.strictObject({
  key: z.string(),
  bank: z.string(),
  /** How many orders like this one stood in the bank's list before. */
  before: z.number().int().min(0),
  at: z.number(),
})
/** That the deciding button is about to be pressed. */
export type Press = z.infer<typeof schema>

/**
 * Notes that the button will be pressed, on disk when it returns. False when it was noted before: then it is not pressed,
 * whatever became of that. One file for each approval, `pressed/<sha256 of the key>.json`, made exclusively and never removed.
 */
export async function notePress(stateDir: string, press: Press): Promise<boolean> {
  return writeOnce(join(stateDir, 'pressed'), fileOf(press.key), JSON.stringify(press))
}

/** Undefined: it was surely never pressed. Throws ERR_JOURNAL_FAILED when that cannot be told. */
export async function readPress(stateDir: string, key: string): Promise<Press | undefined> {
  let text: string
  try {
    text = await readFile(join(stateDir, 'pressed', fileOf(key)), 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new CountersignError('ERR_JOURNAL_FAILED', 'the note of what was pressed cannot be read', { cause })
  }
  // Cut off by a crash: it was about to be pressed, and how many orders there were is not known.
  const parsed = schema.safeParse(jsonOf(text))
  return parsed.success ? parsed.data : { key, bank: '', before: Number.MAX_SAFE_INTEGER, at: 0 }
}

function fileOf(key: string): string {
  return `${createHash('sha256').update(key).digest('hex')}.json`
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Creates a file with its content on disk; false when it was there. */
async function writeOnce(folder: string, name: string, content: Uint8Array | string): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const file = await open(join(folder, name), 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await syncFolder(folder)
    await syncFolder(join(folder, '..'))
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw new CountersignError('ERR_JOURNAL_FAILED', `cannot write to ${folder}`, { cause })
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
