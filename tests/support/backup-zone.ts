import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openLedger } from '#adapters/ledger-fs/ledger-fs.ts'
import type { BackupDeps } from '#services/backup/deps.ts'
import { backupOf } from '../../cli/backup.ts'
import { initZone } from '../../cli/init/init-zone.ts'
import { openZoneHome } from '../../cli/zone-home.ts'

export const ROWS = 400
export const NOTE = 'vault/Done/2026-11/EMAIL_2026-11-20_invoice-for-march_7h3k9q.md'

/** A folder with zone homes and the places that their backups go to. Disposing takes it away. */
export interface BackupWorld extends Disposable {
  readonly dir: string
  readonly home: string
  readonly target: string
  deps(target?: string, passwordFile?: string, signal?: AbortSignal): Promise<BackupDeps>
}

/** A cloud zone that has worked: a hub with history, databases with rows, notes, a ledger. */
export async function backupWorld(): Promise<BackupWorld> {
  const dir = mkdtempSync(join(tmpdir(), 'countersign-backup-'))
  const home = join(dir, 'zones/cloud')
  await initZone({ root: home, zone: 'cloud', settings: {}, secrets: { 'imap-password': 'correct horse battery' } })
  for (const name of ['seen', 'sync']) fillDatabase(join(home, 'state', `${name}.sqlite`))
  mkdirSync(join(home, 'vault/Done/2026-11'), { recursive: true })
  writeFileSync(join(home, NOTE), `# Invoice\n\n${'It was paid. '.repeat(50)}\n`)
  for (let index = 0; index < 30; index++)
    writeFileSync(join(home, `vault/Plans/plan-${index}.md`), `# Plan ${index}\n\n${String(index).repeat(500)}\n`)
  {
    const clock = { now: () => Date.parse('2026-11-20T10:00:00Z') }
    using ledger = openLedger({ vaultRoot: join(home, 'vault'), stateDir: join(home, 'state'), agent: 'cloud', clock })
    for (let index = 0; index < 20; index++) await ledger.append('mail.skipped', { data: { index } })
  }
  for (const repository of ['hub/vault.git', 'state/repo.git']) fillRepository(join(home, repository))
  const target = join(dir, 'backups')
  return {
    ...{ dir, home, target },
    deps: async (place = target, passwordFile, signal) =>
      backupOf(await openZoneHome(home), { target: place, ...(passwordFile && { passwordFile }) }, {}, signal),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}

/** In the journal mode in which the services leave it, with a write that stands in no file but the log's. */
export function fillDatabase(path: string): void {
  using database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at INTEGER); BEGIN')
  const insert = database.prepare('INSERT INTO seen VALUES (?, ?)')
  for (let row = 0; row < ROWS; row++) insert.run(`<mail-${row}@client.example>`, row)
  database.exec('COMMIT')
}

export function fillRepository(gitDir: string, texts: readonly string[] = ['first', 'second']): void {
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', gitDir, ...args], {
      env: { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
      .toString()
      .trim()
  mkdirSync(gitDir, { recursive: true })
  git('init', '--quiet', '--bare', '--initial-branch=main')
  for (const text of texts) {
    writeFileSync(join(gitDir, 'note'), `${text}\n${'history '.repeat(200)}`)
    const blob = git('hash-object', '-w', join(gitDir, 'note'))
    rmSync(join(gitDir, 'note'))
    writeFileSync(join(gitDir, 'tree'), `100644 blob ${blob}\tnote.md\n`)
    const tree = execFileSync('git', ['-C', gitDir, 'mktree'], { input: readFileSync(join(gitDir, 'tree')) })
      .toString()
      .trim()
    rmSync(join(gitDir, 'tree'))
    const parents = (() => {
      try {
        return ['-p', git('rev-parse', '--verify', '--quiet', 'refs/heads/main')]
      } catch {
        return []
      }
    })()
    const who = ['-c', 'user.name=cloud', '-c', 'user.email=cloud@countersign.test']
    git('update-ref', 'refs/heads/main', git(...who, 'commit-tree', tree, ...parents, '-m', text))
  }
}
