import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Command } from 'commander'
import { gitRunner } from '#adapters/git/run-git.ts'
import { readGuard } from '#adapters/keys/guard-file.ts'
import { openWorkTree } from '#adapters/vault-fs/work-tree.ts'
import { blobIdOf } from '#core/blob-id.ts'
import { guardScan, ruleScan, scanInLayers } from '#core/content-scan.ts'
import { CountersignError } from '#core/errors.ts'
import { mergeKey } from '#core/merge.ts'
import { checkCommit, type FileChange, maxBytesOf } from '#core/path-ownership.ts'
import { scanChanges } from '#core/scan-changes.ts'
import { parseSyncReport } from '#core/status.ts'
import { isConflictCopy, parseVaultPath, type VaultPath } from '#core/vault-path.ts'
import { type Cli, example } from './cli.ts'
import { EXIT } from './exit-codes.ts'
import { explainRule } from './explain-rule.ts'
import { terminalText } from './table.ts'
import type { ZoneHome } from './zone-home.ts'

export type Why = {
  readonly path: string
  readonly carried: boolean
  /** The first rule that keeps it out; `carried` or `synchronised` when none does. */
  readonly rule: string
  /** In a sentence. */
  readonly because: string
}

/** Adds `why` to the command `sync`: which rule keeps a file out, if any does. */
export function configureWhy(sync: Command, cli: Cli): void {
  sync
    .command('why')
    .description('which rule keeps a file out of the vault’s synchronisation, or that it is carried')
    .argument('<path>', 'a path within the vault')
    .addHelpText('after', '\nExit code 0 when the file is carried, 1 when a rule keeps it out.')
    .addHelpText('after', example('sync why Plans/trip.md', 'sync why .env --json'))
    .action(async (reference: string) => {
      const why = await whyOf(await cli.home(), reference)
      cli.answer(
        why,
        `${terminalText(why.path, 255)}: ${why.carried ? 'carried' : 'kept out'} (${why.rule})\n  ${why.because}`,
      )
      cli.setExitCode(why.carried ? EXIT.ok : EXIT.failed)
    })
}

/** Asks in sync's own order: the name, the kind of file, its owner, what sync said, its content. Changes nothing. */
export async function whyOf(home: ZoneHome, reference: string): Promise<Why> {
  const path = pathInVault(home, reference)
  const verdict = parseVaultPath(path)
  if (!verdict.ok) return keptOut(path, verdict.rule)
  const tree = openWorkTree(home.vault)
  const sight = await tree.look(verdict.path)
  if (sight.kind === 'odd') return keptOut(path, sight.rule)
  const maxBytes = maxBytesOf(verdict.place)
  if (sight.kind === 'file' && sight.identity.size > maxBytes) return keptOut(path, 'size')
  const found = sight.kind === 'file' ? await tree.read(verdict.path, maxBytes) : undefined
  const hub = await hubFiles(home, verdict.path)
  if (!found) return keptOut(path, hub.has(verdict.path) ? 'removed-here' : 'absent')
  if (hub.get(verdict.path) === blobIdOf(found.bytes)) return carried(path, 'synchronised')
  const changes = await changesOf(home, verdict.path, found.bytes, hub)
  const [violation] = checkCommit({ agent: home.agent, zone: home.zone }, changes)
  if (violation) return keptOut(path, violation.rule)
  const rule = (await scanned(home, changes, path)) ?? (await heldBySync(home, path))
  if (rule) return keptOut(path, rule)
  return carried(path, isConflictCopy(path) ? 'conflict-copy' : 'carried')
}

function keptOut(path: string, rule: string): Why {
  return { path, carried: false, rule, because: explainRule(rule) }
}

function carried(path: string, rule: string): Why {
  return { path, carried: true, rule, because: explainRule(rule) }
}

/** A path as the vault writes it, from one within the vault or from where the person stands. */
function pathInVault(home: ZoneHome, reference: string): string {
  const absolute = isAbsolute(reference) || existsSync(join(home.vault, reference)) ? undefined : resolve(reference)
  const isBeneath = absolute !== undefined && existsSync(absolute) && !relative(home.vault, absolute).startsWith('..')
  const path = isAbsolute(reference) || isBeneath ? relative(home.vault, resolve(reference)) : reference
  return path.replaceAll('\\', '/').replace(/^\.\//, '')
}

/** What the verified hub has under this file's name: path → blob. Read beside a running sync. */
async function hubFiles(home: ZoneHome, path: VaultPath): Promise<Map<string, string>> {
  const file = join(home.state, 'sync.sqlite')
  if (!existsSync(file)) return new Map()
  using database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  const rows = database.prepare('SELECT path, oid FROM hub WHERE key = ?').all(mergeKey(path))
  return new Map(rows.map((row) => [String(row.path), String(row.oid)]))
}

/** The commit that sync would make of this one file: where it stood goes when it stands here now. */
async function changesOf(
  home: ZoneHome,
  path: VaultPath,
  after: Uint8Array,
  hub: ReadonlyMap<string, string>,
): Promise<FileChange[]> {
  const before = async (oid: string) =>
    (await gitRunner(join(home.state, 'repo.git'))(['cat-file', 'blob', oid])).stdout
  const moved = [...hub].filter(([other]) => other !== path && !existsSync(join(home.vault, other)))
  const own = hub.get(path)
  return [
    ...(await Promise.all(moved.map(async ([other, oid]) => ({ path: other, before: await before(oid) })))),
    { path, mode: '100644', after, ...(own !== undefined && { before: await before(own) }) },
  ]
}

async function scanned(home: ZoneHome, changes: readonly FileChange[], path: string): Promise<string | undefined> {
  const { secretlintScan } = await import('#adapters/secretlint/secretlint.ts')
  const layers = [guardScan(await readGuard(home.keys)), ruleScan, secretlintScan()]
  const violations = await scanChanges(changes, scanInLayers(layers))
  return violations.find((one) => one.path === path)?.rule
}

/** What sync itself last said of the file, for whatever else it may have seen. */
async function heldBySync(home: ZoneHome, path: string): Promise<string | undefined> {
  const text = await readFile(join(home.state, 'sync-status.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw new CountersignError('ERR_VAULT_UNREADABLE', `reading what sync reported: ${error.code}`, { cause: error })
  })
  return parseSyncReport(text)?.held?.find((one) => one.path === path)?.rule
}
