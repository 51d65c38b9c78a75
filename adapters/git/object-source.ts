import { CountersignError } from '#core/errors.ts'
import type { Oid } from '#core/ports/repo.ts'
import type { GitObject, LooseObjects, ObjectType } from './loose-objects.ts'
import type { RunGit } from './run-git.ts'

/** Reads objects wherever they lie: loose ones as files, packed ones through git. */
export interface ObjectSource {
  /** Throws ERR_GIT_FAILED when it is absent, of another type, over `maxBytes` or damaged. */
  read(oid: Oid, type: ObjectType, maxBytes: number): Promise<Buffer>
  /** Type and size by id; absent ones are left out. */
  sizes(oids: readonly Oid[]): Promise<Map<Oid, ObjectSize>>
}

export interface ObjectSize {
  readonly type: string
  readonly size: number
}

interface Wanted {
  readonly oid: Oid
  readonly maxBytes: number
  readonly resolve: (found: GitObject) => void
  readonly reject: (reason: unknown) => void
}

const READ_TIMEOUT_MS = 60_000
/** Objects read by one `cat-file` together. */
const BATCH_BYTES = 32 * 1024 * 1024

export function objectSource(run: RunGit, loose: Pick<LooseObjects, 'read' | 'size'>): ObjectSource {
  const readPacked = packedReader(run)
  return {
    async read(oid, type, maxBytes) {
      const found = (await loose.read(oid, maxBytes)) ?? (await readPacked(oid, maxBytes))
      if (found.type !== type) throw unreadable(oid, `it is a ${found.type}`)
      return found.bytes
    },
    async sizes(oids) {
      const sizes = new Map<Oid, ObjectSize>()
      const packed: Oid[] = []
      for (const oid of new Set(oids)) {
        const found = await loose.size(oid)
        if (found) sizes.set(oid, found)
        else packed.push(oid)
      }
      for (const [oid, size] of await packedSizes(run, packed)) sizes.set(oid, size)
      return sizes
    },
  }
}

async function packedSizes(run: RunGit, oids: readonly Oid[]): Promise<Map<Oid, ObjectSize>> {
  if (oids.length === 0) return new Map()
  const { stdout } = await run(['cat-file', '--batch-check'], {
    input: `${oids.join('\n')}\n`,
    timeoutMs: READ_TIMEOUT_MS,
  })
  const found = stdout
    .toString('utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter((words) => words.length === 3)
  return new Map(found.map(([oid = '', type = '', size]) => [oid as Oid, { type, size: Number(size) }]))
}

/** Objects asked for in the same turn of the event loop are read by one `cat-file`. */
function packedReader(run: RunGit): (oid: Oid, maxBytes: number) => Promise<GitObject> {
  let waiting: Wanted[] = []
  const flush = async () => {
    const batch = waiting
    waiting = []
    try {
      await readBatch(run, batch)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
  return (oid, maxBytes) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(() => void flush())
      waiting.push({ oid, maxBytes, resolve, reject })
    })
}

async function readBatch(run: RunGit, batch: readonly Wanted[]): Promise<void> {
  const sizes = await packedSizes(run, [...new Set(batch.map((one) => one.oid))])
  let group: Wanted[] = []
  let groupBytes = 0
  const read = async () => {
    if (group.length > 0) await readContents(run, group)
    group = []
    groupBytes = 0
  }
  for (const one of batch) {
    const found = sizes.get(one.oid)
    if (!found) one.reject(unreadable(one.oid, 'it is absent'))
    else if (found.size > one.maxBytes) one.reject(unreadable(one.oid, `${found.size} bytes, over ${one.maxBytes}`))
    else {
      if (groupBytes + found.size > BATCH_BYTES) await read()
      group.push(one)
      groupBytes += found.size
    }
  }
  await read()
}

/** Output of `cat-file --batch`: `<oid> <type> <size>\n<bytes>\n`, once for each line of input. */
async function readContents(run: RunGit, group: readonly Wanted[]): Promise<void> {
  const { stdout } = await run(['cat-file', '--batch'], {
    input: `${group.map((one) => one.oid).join('\n')}\n`,
    timeoutMs: READ_TIMEOUT_MS,
  })
  let at = 0
  for (const { oid, resolve, reject } of group) {
    const lineEnd = stdout.indexOf(0x0a, at)
    const [name, type = '', size] = stdout.toString('latin1', at, lineEnd).split(' ')
    if (lineEnd < 0 || name !== oid || size === undefined) return reject(unreadable(oid, 'cat-file stopped early'))
    const start = lineEnd + 1
    at = start + Number(size) + 1
    // A copy: a view would keep the whole batch in memory.
    resolve({ type, bytes: Buffer.from(stdout.subarray(start, at - 1)) })
  }
}

function unreadable(oid: Oid, why: string) {
  return new CountersignError('ERR_GIT_FAILED', `reading object ${oid}: ${why}`)
}
