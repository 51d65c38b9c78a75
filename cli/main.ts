import { Command, CommanderError } from 'commander'
import { CountersignError } from '#core/errors.ts'
import { type CommandModule, createCli, type GlobalOptions, reportError } from './cli.ts'
import { EXIT, EXIT_HELP, exitCodeOf } from './exit-codes.ts'

/** Every verb: its line in --help, and its file, loaded only when it is the one that runs. */
const COMMANDS: Record<string, { summary: string; load: () => Promise<CommandModule> }> = {
  init: {
    summary: 'create or repair a zone home: keys, vault, settings, hub',
    load: () => import('./commands/init.ts'),
  },
  start: {
    summary: 'run both zones on this machine, for use with an editor',
    load: () => import('./commands/start.ts'),
  },
  demo: {
    summary: 'play the whole story on this machine and verify each step',
    load: () => import('./commands/demo.ts'),
  },
  mail: { summary: 'put a mail into the mailbox of `countersign start`', load: () => import('./commands/mail.ts') },
  status: { summary: 'how this zone is doing', load: () => import('./commands/status.ts') },
  task: { summary: 'list tasks, show one, or hand one over', load: () => import('./commands/task.ts') },
  claim: { summary: 'make an open task this agent’s', load: () => import('./commands/claim.ts') },
  'check-claimed': {
    summary: 'whether this agent still holds a task',
    load: () => import('./commands/check-claimed.ts'),
  },
  transfer: { summary: 'hand a task to another agent or zone', load: () => import('./commands/transfer.ts') },
  release: { summary: 'give a claimed task back', load: () => import('./commands/release.ts') },
  review: {
    summary: 'have every waiting draft put into one note, Review.md',
    load: () => import('./commands/review.ts'),
  },
  approve: { summary: 'approve a drafted task: it will be executed', load: () => import('./commands/approve.ts') },
  undo: { summary: 'take an approved task back before it is done', load: () => import('./commands/undo.ts') },
  reject: { summary: 'reject a drafted task', load: () => import('./commands/reject.ts') },
  attach: { summary: 'add a file to a drafted mail', load: () => import('./commands/attach.ts') },
  post: { summary: 'draft a post on a social network', load: () => import('./commands/post.ts') },
  redraft: { summary: 'send a drafted task back to the drafter', load: () => import('./commands/redraft.ts') },
  resolve: { summary: 'say whether a task in doubt was done', load: () => import('./commands/resolve.ts') },
  sync: { summary: 'synchronise now, or show how sync is doing', load: () => import('./commands/sync.ts') },
  trust: { summary: 'whom this zone believes; revoke an agent’s keys', load: () => import('./commands/trust.ts') },
  lock: { summary: 'give the countersigning key a passphrase', load: () => import('./commands/lock.ts') },
  unlock: { summary: 'take it off the countersigning key', load: () => import('./commands/unlock.ts') },
  credentials: {
    summary: 'every key and secret of this zone: what it may do, how old it is, what is wrong with it',
    load: () => import('./commands/credentials.ts'),
  },
  rotate: { summary: 'replace a key or secret by a new one', load: () => import('./commands/rotate.ts') },
  auth: { summary: 'let this zone into a Gmail account', load: () => import('./commands/auth.ts') },
  odoo: {
    summary: 'set an Odoo up for both zones, and prove what the cloud can do there',
    load: () => import('./commands/odoo.ts'),
  },
  bank: {
    summary: 'the banks that can be paid at through their own pages; log in there',
    load: () => import('./commands/bank.ts'),
  },
  audit: {
    summary: 'verify the ledgers, show the life of a task, export them',
    load: () => import('./commands/audit.ts'),
  },
  logs: {
    summary: 'what every service logged about one task',
    load: () => import('./commands/logs.ts'),
  },
  notify: {
    summary: 'the ways this zone tells you that something needs you; try them',
    load: () => import('./commands/notify.ts'),
  },
  whatsapp: {
    summary: 'link a telephone to WhatsApp, or see how that is',
    load: () => import('./commands/whatsapp.ts'),
  },
  mcp: { summary: 'serve an MCP server over stdio', load: () => import('./commands/mcp.ts') },
  prove: {
    summary: 'try what the cloud zone must not be able to do, and say what happened',
    load: () => import('./commands/prove.ts'),
  },
  backup: {
    summary: 'back this zone up now, list its backups, or look whether they can be restored',
    load: () => import('./commands/backup.ts'),
  },
  restore: {
    summary: 'put a backup back into an empty or stopped zone home',
    load: () => import('./commands/restore.ts'),
  },
  upgrade: {
    summary: 'bring this zone to this version of the program, with a backup first',
    load: () => import('./commands/upgrade.ts'),
  },
  uninstall: {
    summary: 'take this zone down, and say what remains where',
    load: () => import('./commands/uninstall.ts'),
  },
  doctor: {
    summary: 'check this machine and this zone, and say what to repair',
    load: () => import('./commands/doctor.ts'),
  },
}
const OPTIONS_WITH_VALUE = ['--home', '--zone']

/** Runs the command line and sets the exit code. Never throws. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('countersign')
    .description('The cloud drafts, you countersign, your own machine acts.')
    .option('--json', 'answer in JSON, one object (demo: one a step)')
    .option('--home <folder>', 'the zone home (default: the one of ./zones/local and ./zones/cloud that exists)')
    .option('--zone <zone>', 'cloud or local: ./zones/<zone>')
    .addHelpText('after', EXIT_HELP)
    .configureOutput({ writeErr: (text) => void (argv.includes('--json') || process.stderr.write(text)) })
    .exitOverride()
  const cli = createCli(() => program.opts<GlobalOptions>())
  const verb = verbOf(argv)
  try {
    for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
      const command = program.command(name).description(summary)
      if (name === verb) (await load()).configure(command, cli)
    }
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    // commander throws after printing help, too.
    if (error instanceof CommanderError && error.exitCode === 0) return
    const isUsage = error instanceof CommanderError
    const json = argv.includes('--json')
    if (json || !isUsage) reportError(isUsage ? new CountersignError('ERR_USAGE', error.message) : error, json)
    process.exitCode = isUsage ? EXIT.usage : exitCodeOf(error)
  }
}

function verbOf(argv: readonly string[]): string | undefined {
  const words = argv.filter((one, index) => !one.startsWith('-') && !OPTIONS_WITH_VALUE.includes(argv[index - 1] ?? ''))
  return words[0] === 'help' ? words[1] : words[0]
}

if (import.meta.main) {
  // Whoever reads the output may have enough of it (`| head`): the work goes on to its end, and clears up.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  await main(process.argv.slice(2))
}
