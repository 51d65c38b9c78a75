import { expect, test } from 'vitest'
import { type BackupStatus, dueWork, parseBackupStatus } from './backup-status.ts'

const NOW = Date.parse('2026-11-20T12:00:00Z')
const ago = (hours: number) => new Date(NOW - hours * 3_600_000).toISOString()
const done = (hours: number): BackupStatus => ({
  backup: { at: ago(hours), outcome: 'done' },
  backupDoneAt: ago(hours),
})
const drilled = (hours: number): BackupStatus => ({
  drill: { at: ago(hours), outcome: 'done' },
  drillDoneAt: ago(hours),
})

test.each<[what: string, status: BackupStatus, due: string | undefined]>([
  ['nothing was ever backed up', {}, 'backup'],
  ['the last backup is 23 hours old, and the trial of this week was', { ...done(23), ...drilled(30) }, undefined],
  ['the last backup is a day old', { ...done(24), ...drilled(30) }, 'backup'],
  ['no trial was ever', done(1), 'drill'],
  ['the last trial is a week old', { ...done(1), ...drilled(24 * 7) }, 'drill'],
  ['both are due: first the backup, which is tried then', { ...done(50), ...drilled(24 * 8) }, 'backup'],
  ['a backup failed half an hour ago', { backup: { at: ago(0.5), outcome: 'failed' } }, undefined],
  ['a backup failed an hour ago', { backup: { at: ago(1), outcome: 'failed' } }, 'backup'],
  ['a trial failed an hour ago', { ...done(2), drill: { at: ago(1), outcome: 'failed' } }, 'drill'],
  ['the clock was set back by a year', { ...done(-8_760), ...drilled(2) }, 'backup'],
])('when %s', (_what, status, due) => {
  expect(dueWork(status, NOW)).toBe(due)
})

test('what cannot be read is forgotten', () => {
  for (const text of ['', '{', '[]', '{"backupDoneAt": "yesterday"}']) expect(parseBackupStatus(text)).toEqual({})
  expect(parseBackupStatus(JSON.stringify(done(3)))).toEqual(done(3))
})
