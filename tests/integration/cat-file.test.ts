import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CatFile, catFile } from '#adapters/git/cat-file.ts'
import type { Oid } from '#core/ports/repo.ts'

let gitDir: string
let objects: CatFile
const git = (args: string[], input: string | Buffer = '') =>
  execFileSync('git', ['--git-dir', gitDir, ...args], { input, encoding: 'utf8', stdio: 'pipe' }).trim()
const put = (bytes: string | Buffer) => git(['hash-object', '-w', '--stdin'], bytes) as Oid
/** The processes of git that have this repository open to answer questions. */
const askers = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`GIT_DIR=${gitDir}\0`)
        return isOurs && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--batch-command')
      } catch {
        return false
      }
    })
    .map(Number)

beforeEach(() => {
  gitDir = mkdtempSync(join(tmpdir(), 'countersign-cat-file-'))
  git(['init', '-q', '--bare'])
  objects = catFile(gitDir)
})
afterEach(() => {
  objects[Symbol.dispose]()
  rmSync(gitDir, { recursive: true })
})

describe('objects read through one git', () => {
  it('are whole and in the order they were asked for, small and large, empty and binary', async () => {
    const blobs = [Buffer.alloc(0), Buffer.from('a\nb\0c'), randomBytes(3_000_000), Buffer.from('last')]
    const oids = blobs.map(put)
    const found = await Promise.all(oids.map((oid) => objects.read(oid, 4_000_000)))
    for (const [at, { type, bytes }] of found.entries()) {
      expect(type).toBe('blob')
      expect(bytes.equals(blobs[at] as Buffer)).toBe(true)
    }
    expect(askers()).toHaveLength(1)
  })

  it('are refused by size alone, and when they are not there', async () => {
    const oid = put('four')
    await expect(objects.read(oid, 3)).rejects.toThrow(`reading object ${oid}: 4 bytes, over 3`)
    const absent = 'f'.repeat(40) as Oid
    await expect(objects.read(absent, 3)).rejects.toThrow('it is absent')
    expect(await objects.size(absent)).toBeUndefined()
    expect(await objects.size(oid)).toEqual(expect.objectContaining({ type: 'blob', size: 4 }))
    expect((await objects.read(oid, 4)).bytes.toString()).toBe('four')
  })

  it('are found in a pack that was made after the first question', async () => {
    await objects.size(put('first'))
    const later = put('later')
    execFileSync('git', ['--git-dir', gitDir, 'pack-objects', '-q', join(gitDir, 'objects/pack/pack')], {
      input: `${later}\n`,
    })
    git(['prune-packed', '-q'])
    expect((await objects.read(later, 10)).bytes.toString()).toBe('later')
  })

  it('are read again by a new git when the old one was killed; what was being asked fails', async () => {
    const oid = put(randomBytes(2_000_000))
    await objects.size(oid)
    const [pid = 0] = askers()
    process.kill(pid, 'SIGSTOP')
    const pending = objects.read(oid, 3_000_000)
    process.kill(pid, 'SIGKILL')
    await expect(pending).rejects.toThrow('git cat-file ended')
    expect((await objects.read(oid, 3_000_000)).bytes).toHaveLength(2_000_000)
  })

  it('do not keep a process alive that has nothing else to do', () => {
    const oid = put('text')
    const script = `
      import { catFile } from '#adapters/git/cat-file.ts'
      const { bytes } = await catFile(${JSON.stringify(gitDir)}).read('${oid}', 10)
      process.stdout.write(bytes)`
    const began = performance.now()
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(output).toBe('text')
    // It ends by itself after 30 s without a question; the hub's gate must not wait for that.
    expect(performance.now() - began).toBeLessThan(20_000)
  })
})
