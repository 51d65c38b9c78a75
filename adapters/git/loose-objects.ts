import { createHash, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { deflateSync, inflateSync, constants as zlib } from 'node:zlib'
import { CountersignError } from '#core/errors.ts'
import type { Oid } from '#core/ports/repo.ts'

export type ObjectType = 'blob' | 'tree' | 'commit'

export interface GitObject {
  readonly type: string
  readonly bytes: Buffer
}

/**
 * Git's loose objects (gitformat-loose: zlib over `<type> <size>\0<bytes>`, named by the SHA-1 of that), read and
 * written without starting git. What a round sends or receives is loose; the rest is in packs, which only git reads.
 */
export interface LooseObjects {
  /** Undefined: not loose here. Throws ERR_GIT_FAILED when it is over `maxBytes` or not what its name says. */
  read(oid: Oid, maxBytes: number): Promise<GitObject | undefined>
  /** Type and size, read from the first bytes of the file; undefined: not loose here. */
  size(oid: Oid): Promise<{ type: string; size: number } | undefined>
  /** On disk when it resolves. */
  write(type: ObjectType, bytes: Uint8Array): Promise<Oid>
}

const MAX_HEADER = 32
const START_BYTES = 128

/** `folders` are object folders (`…/objects`), searched in this order; the first is written to. */
export function looseObjects(folders: readonly [string, ...string[]]): LooseObjects {
  const places = (oid: string) => folders.map((folder) => join(folder, oid.slice(0, 2), oid.slice(2)))
  return {
    async read(oid, maxBytes) {
      for (const path of places(oid)) {
        const packed = await readFile(path).catch(absent)
        if (packed) return unpacked(oid, packed, maxBytes)
      }
      return undefined
    },
    async size(oid) {
      for (const path of places(oid)) {
        const start = await readStart(path)
        if (start) return headerOf(inflateSync(start, { finishFlush: zlib.Z_SYNC_FLUSH }))
      }
      return undefined
    },
    async write(type, bytes) {
      const whole = Buffer.concat([Buffer.from(`${type} ${bytes.length}\0`), bytes])
      const oid = createHash('sha1').update(whole).digest('hex') as Oid
      const paths = places(oid)
      for (const path of paths) if (await isThere(path)) return oid
      await writeObject(paths[0] as string, deflateSync(whole, { level: zlib.Z_BEST_SPEED }))
      return oid
    },
  }
}

/** Reading by name proves nothing if the bytes were never held against it: signatures stop at the tree's name. */
function unpacked(oid: Oid, packed: Buffer, maxBytes: number): GitObject {
  let whole: Buffer
  try {
    whole = inflateSync(packed, { maxOutputLength: maxBytes + MAX_HEADER })
  } catch (cause) {
    throw new CountersignError('ERR_GIT_FAILED', `reading object ${oid}: over ${maxBytes} bytes, or damaged`, { cause })
  }
  const header = headerOf(whole)
  const bytes = whole.subarray(whole.indexOf(0) + 1)
  const isWhole = header?.size === bytes.length && createHash('sha1').update(whole).digest('hex') === oid
  if (!header || !isWhole)
    throw new CountersignError('ERR_GIT_FAILED', `reading object ${oid}: its file is damaged`, {
      details: { damaged: true },
    })
  if (bytes.length > maxBytes)
    throw new CountersignError('ERR_GIT_FAILED', `reading object ${oid}: ${bytes.length} bytes, over ${maxBytes}`)
  return { type: header.type, bytes }
}

function headerOf(start: Buffer): { type: string; size: number } | undefined {
  const [, type, size] = /^([a-z]+) (\d{1,15})\0/.exec(start.toString('latin1', 0, MAX_HEADER)) ?? []
  return type === undefined ? undefined : { type, size: Number(size) }
}

async function readStart(path: string): Promise<Buffer | undefined> {
  const file = await open(path, 'r').catch(absent)
  if (!file) return undefined
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(START_BYTES), 0, START_BYTES, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  )
}

/** Whole or not at all: an empty object file after a power cut would make git refuse the whole repository. */
async function writeObject(path: string, packed: Buffer): Promise<void> {
  await ensureFolder(dirname(path))
  const temporary = join(dirname(path), `tmp_obj_${randomBytes(6).toString('hex')}`)
  const file = await open(temporary, 'wx', 0o444)
  try {
    await file.writeFile(packed)
    await file.sync()
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}

/** Not `recursive` at once: on a read-only disk that one says ENOENT. */
async function ensureFolder(path: string): Promise<void> {
  await mkdir(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') await mkdir(path, { recursive: true })
    else if (error.code !== 'EEXIST') throw error
  })
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw new CountersignError('ERR_GIT_FAILED', `reading an object: ${error.code}`, { cause: error })
}
