import type { Command } from 'commander'
import { type Cli, example, PROGRAM } from './cli.ts'
import {
  type Conflict,
  findConflict,
  listConflicting,
  maySettle,
  readBoth,
  type Settlement,
  type Side,
  settle,
} from './conflicts.ts'
import { sideBySide } from './side-by-side.ts'
import { renderTable, terminalText } from './table.ts'
import type { ZoneHome } from './zone-home.ts'

const FILE = 'the file or its copy: a path or a name'
const DEFAULT_WIDTH = 120

/** Adds `conflicts` to the command `sync`: what lost against what, and which of the two to keep. */
export function configureConflicts(sync: Command, cli: Cli): void {
  const conflicts = sync.command('conflicts').description('files of which the vault holds two versions')
  conflicts
    .command('list', { isDefault: true })
    .description('what lost against what, who wrote it, and when (the default)')
    .addHelpText('after', example('sync conflicts', 'sync conflicts list --json'))
    .action(async () => {
      const home = await cli.home()
      const found = await listConflicting(home)
      cli.answer(found, renderList(found, home))
    })
  conflicts
    .command('show')
    .description('both versions side by side')
    .argument('<file>', FILE)
    .addHelpText('after', example('sync conflicts show Plans/trip.md'))
    .action(async (reference: string) => {
      const home = await cli.home()
      const conflict = await findConflict(home, reference)
      const texts = await readBoth(home, conflict)
      cli.answer({ ...conflict, file_text: texts.file, copy_text: texts.copy }, renderBoth(conflict, texts))
    })
  for (const side of ['mine', 'theirs'] as const)
    conflicts
      .command(`keep-${side}`)
      .description(side === 'mine' ? 'keep what was written here' : 'keep what came from elsewhere')
      .argument('<file>', FILE)
      .addHelpText(
        'after',
        '\nThe other version stays in the trash of the zone for 30 days. Nothing is approved by it.',
      )
      .addHelpText('after', example(`sync conflicts keep-${side} Plans/trip.md`))
      .action(async (reference: string) => {
        const home = await cli.home()
        const conflict = await findConflict(home, reference)
        const settlement = await settle(home, conflict, side)
        cli.answer({ ...conflict, ...settlement }, renderSettlement(side, settlement))
      })
}

function renderList(conflicts: readonly Conflict[], home: ZoneHome): string {
  if (conflicts.length === 0) return 'No file has two versions.'
  const rows = conflicts.map((one) => [
    terminalText(one.file ?? '(gone)', 90),
    said(one.file_by, one.file_at),
    said(one.copy_by, one.copy_at),
    terminalText(one.copy, 200),
  ])
  const keep = maySettle(home) ? 'keep-mine or keep-theirs' : 'keep-mine or keep-theirs on the local machine'
  const how = `Look at both: ${PROGRAM} sync conflicts show <file>. Then ${keep}, or delete the copy in your editor.`
  return `${renderTable([['FILE', 'STANDS AS WRITTEN BY', 'LOST', 'KEPT AS'], ...rows])}\n\n${how}`
}

function renderBoth(conflict: Conflict, texts: { file: string; copy: string }): string {
  const [left, right] = conflict.lost === 'mine' ? ['theirs', 'mine'] : ['mine', 'theirs']
  return sideBySide(
    texts.file,
    texts.copy,
    [
      `${conflict.file ?? 'gone'} (${left}: ${said(conflict.file_by, conflict.file_at)})`,
      `the copy (${right}: ${said(conflict.copy_by, conflict.copy_at)})`,
    ],
    process.stdout.columns ?? DEFAULT_WIDTH,
  )
}

function renderSettlement(side: Side, { kept, trash, shown_anew }: Settlement): string {
  return [
    `Kept ${side === 'mine' ? 'what was written here' : 'what came from elsewhere'}: ${kept}.`,
    ...(trash ? [`The other version lies in ${trash} for 30 days.`] : []),
    ...(shown_anew ? ['It is shown to you anew before anything is done with it; read it, then decide.'] : []),
  ].join('\n')
}

function said(by: string | null, at: string | null): string {
  return by && at ? `${terminalText(by)}, ${at.slice(0, 16).replace('T', ' ')}` : 'unknown'
}
