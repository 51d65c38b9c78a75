import type { Command } from 'commander'
import { CountersignError } from '#core/errors.ts'
import { refuseOtherHome } from '#runtime/home-version.ts'
import { findZoneHome, type ZoneHome } from './zone-home.ts'

/** What every command gets: the global options and the two ways to answer. */
export type Cli = {
  readonly json: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  /** The zone home the command is about. Throws ERR_HOME_MISSING, ERR_USAGE or ERR_STATE_NEWER. */
  home(): Promise<ZoneHome>
  /** The same, whichever program it belongs to: for what upgrades it, puts it back or takes it down. */
  anyHome(): Promise<ZoneHome>
  /** The answer: `value` with --json, else `text`. Called once, at the end. */
  answer(value: unknown, text: string): void
  /** Progress for a person; silent with --json. */
  say(line: string): void
  setExitCode(code: number): void
}

/** A file in cli/commands/: adds its arguments, options, example and action to the command it is given. */
export type CommandModule = { configure(command: Command, cli: Cli): void }

export type GlobalOptions = { json?: boolean; home?: string; zone?: string }

export function createCli(options: () => GlobalOptions): Cli {
  return {
    get json() {
      return options().json === true
    },
    env: process.env,
    anyHome: () => findZoneHome(options(), { cwd: process.cwd(), env: process.env }),
    async home() {
      const home = await findZoneHome(options(), { cwd: process.cwd(), env: process.env })
      refuseOtherHome(home.state)
      return home
    },
    answer(value, text) {
      process.stdout.write(`${options().json ? JSON.stringify(value) : text}\n`)
    },
    say(line) {
      if (!options().json) process.stderr.write(`${line}\n`)
    },
    setExitCode(code) {
      process.exitCode = code
    },
  }
}

/** How this program is called here: in a checkout it is not on the PATH, in the images it is. */
export const PROGRAM = import.meta.filename.endsWith('.ts') ? 'npx countersign' : 'countersign'

/** Help text that ends each command's --help. */
export function example(...lines: string[]): string {
  return `\nExample:\n${lines.map((line) => `  $ ${PROGRAM} ${line}`).join('\n')}`
}

/** Writes an error where it belongs: one JSON object with --json, else what was tried and what to do, on stderr. */
export function reportError(error: unknown, json: boolean): void {
  const code = error instanceof CountersignError ? error.code : 'ERR_UNEXPECTED'
  const hint =
    error instanceof CountersignError
      ? error.hint.replaceAll('`countersign ', `\`${PROGRAM} `)
      : 'This is a fault of the program; please report it.'
  const message = error instanceof Error ? error.message : String(error)
  if (json) {
    process.stdout.write(`${JSON.stringify({ error: { code, message, hint } })}\n`)
    return
  }
  process.stderr.write(`${code}: ${message}\n  ${hint}\n`)
  if (!(error instanceof CountersignError) && error instanceof Error && error.stack)
    process.stderr.write(`${error.stack}\n`)
}
