import { expect, test } from 'vitest'
import type { BackupStatus } from '#core/backup-status.ts'
import { CountersignError } from '#core/errors.ts'
import type { BackupStore, Snapshot } from '#core/ports/backup-store.ts'
import { createLogger } from '#runtime/logger.ts'
import { createMetrics } from '#runtime/metrics.ts'
import type { BackupDeps } from './deps.ts'
import { runBackups } from './run-backups.ts'

const NOW = Date.parse('2026-11-20T12:00:00Z')
const CONTENTS = { files: {}, databases: {}, repositories: {} }
const ID = 'a'.repeat(64)

/** Runs until so many looks at what is due were made. */
async function run(turns: number, save: BackupStore['save'], found = CONTENTS, changes: Partial<BackupStore> = {}) {
  const metrics = createMetrics({ service: 'backup', zone: 'cloud', version: '0' })
  const stop = new AbortController()
  let status: BackupStatus = {}
  let manifest = ''
  const snapshots: Snapshot[] = []
  const store: BackupStore = {
    target: '/backups',
    id: async () => 'b'.repeat(64),
    create: async () => {},
    async save(folder, of) {
      const id = await save(folder, of)
      snapshots.push({ id: ID, at: new Date(NOW).toISOString(), ...of })
      return id
    },
    list: async () => snapshots,
    restore: async () => {},
    check: async () => {},
    forget: async () => snapshots,
    ...changes,
  }
  const nothing = { async [Symbol.asyncDispose]() {} }
  let contents = CONTENTS
  const deps: BackupDeps = {
    ...{ zone: 'cloud', agent: 'cloud', program: '0', clock: { now: () => NOW }, store, isAppendOnly: false },
    status: {
      load: async () => status,
      async save(next) {
        status = next
      },
    },
    oneAtATime: async () => nothing,
    scratch: async () => ({ path: '/scratch', ...nothing }),
    copy: async () => [],
    takeContents: async () => contents,
    readManifest: async () => manifest,
    async writeManifest(_folder, text) {
      manifest = text
      contents = found
    },
    checkRepositories: async () => ({ check: 'history', result: 'ok', found: '' }),
    verifyLedgers: async () => ({ check: 'ledgers', result: 'ok', found: '' }),
  }
  let left = turns
  const beat = () => void (left-- === 0 && stop.abort())
  const log = createLogger({ service: 'backup', zone: 'cloud', agent: 'cloud', level: 'silent' as never })
  await runBackups({ deps, log, metrics, stopping: stop.signal, beat, pollMs: 0 })
  return { status, text: await metrics.expose() }
}

test('first a backup is made, then it is put back for a trial, and then nothing is due', async () => {
  let saved = 0
  const { status, text } = await run(5, async () => {
    saved++
    return ID.slice(0, 8)
  })
  expect(saved).toBe(1)
  expect(status).toMatchObject({ backup: { outcome: 'done', snapshot: ID }, drill: { outcome: 'done', snapshot: ID } })
  for (const name of ['backup', 'restore_drill'])
    expect(text).toMatch(new RegExp(`^countersign_${name}_last_success_timestamp_seconds\\{.*\\} ${NOW / 1000}$`, 'm'))
  expect(text).toMatch(/^countersign_backup_failing\{.*of="drill".*\} 0$/m)
})

test('a backup that fails is told, not tried again at once, and nothing is put back for a trial', async () => {
  let tries = 0
  const { status, text } = await run(5, async () => {
    tries++
    throw new CountersignError('ERR_BACKUP_FULL', 'no room')
  })
  expect(tries).toBe(1)
  expect(status).toMatchObject({ backup: { outcome: 'failed', problem: 'no room' } })
  expect(status.drill).toBeUndefined()
  expect(text).toMatch(/^countersign_backup_failing\{.*of="backup".*\} 1$/m)
  expect(text).toMatch(/^countersign_backup_runs_total\{.*of="backup",outcome="failed".*\} 1$/m)
  expect(text).not.toMatch(/^countersign_backup_last_success_timestamp_seconds\{/m)
})

test('a trial that finds damage is told as failing, and does not count as one', async () => {
  const strange = { ...CONTENTS, files: { 'vault/x.md': { bytes: 1, sha256: 'c'.repeat(64) } } }
  const { status, text } = await run(5, async () => ID.slice(0, 8), strange)
  expect(status).toMatchObject({ drill: { outcome: 'failed', problem: expect.stringContaining('vault/x.md') } })
  expect(status.drillDoneAt).toBeUndefined()
  expect(text).toMatch(/^countersign_backup_failing\{.*of="drill".*\} 1$/m)
  expect(text).toMatch(/^countersign_backup_runs_total\{.*of="drill",outcome="failed".*\} 1$/m)
})

const stopped = async () => {
  throw new CountersignError('ERR_BACKUP_FAILED', 'restic restore: stopped', { details: { isStopped: true } })
}

test('a trial that was stopped half way says nothing of the backup, and is due as before', async () => {
  const { status } = await run(5, async () => ID.slice(0, 8), CONTENTS, { restore: stopped })
  expect(status.backup).toMatchObject({ outcome: 'done' })
  expect(status.drill).toBeUndefined()
  const looked = await run(5, async () => ID.slice(0, 8), CONTENTS, { check: stopped })
  expect(looked.status.drill).toBeUndefined()
})

test('a backup that was stopped half way has not failed, and is due as before', async () => {
  const { status } = await run(2, stopped)
  expect(status.backup).toBeUndefined()
})
