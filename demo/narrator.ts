/** Tells a story as it happens. */
export type Narrator = {
  /** Something worth knowing beside the steps. */
  say(line: string): void
  begin(index: number, title: string): void
  end(result: StepResult): void
  summary(summary: Summary): void
}

export type StepResult = {
  readonly step: string
  readonly ok: boolean
  readonly ms: number
  /** What was found, or why not. */
  readonly found: string
}

export type Summary = {
  readonly ok: boolean
  readonly ms: number
  readonly steps: number
  /** Where to look, when the world is kept. */
  readonly vault?: string
  readonly logs?: string
}

/** One JSON object a line on stdout; what is said goes to stderr. The last line's step is `summary`. */
export function jsonNarrator(): Narrator {
  return {
    say: (line) => void process.stderr.write(`${line}\n`),
    begin: () => {},
    end: (result) => void process.stdout.write(`${JSON.stringify(result)}\n`),
    summary: (summary) => void process.stdout.write(`${JSON.stringify({ step: 'summary', ...summary })}\n`),
  }
}

/** For a person: a line a step, with its time; on a terminal the running step is shown as it runs. */
export function plainNarrator(out: NodeJS.WriteStream = process.stdout): Narrator {
  const isTerminal = out.isTTY === true
  const paint = (code: number, text: string) => (isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text)
  let current = ''
  return {
    say: (line) => void out.write(`${paint(2, line)}\n`),
    begin(index, title) {
      current = `${String(index).padStart(2)}. ${title}`
      if (isTerminal) out.write(`   ${current} …`)
    },
    end({ ok, ms, found }) {
      const mark = ok ? paint(32, '✓') : paint(31, '✗')
      out.write(`${isTerminal ? '\r\u001b[2K' : ''} ${mark} ${current}  ${paint(2, seconds(ms))}\n`)
      out.write(`       ${paint(2, found)}\n`)
    },
    summary({ ok, ms, steps, vault, logs }) {
      const verdict = ok
        ? `All ${steps} steps verified in ${seconds(ms)}.`
        : `Not all steps were verified (${seconds(ms)}).`
      out.write(`\n${paint(ok ? 32 : 31, verdict)}\n`)
      if (vault && logs) out.write(`Vault: ${vault}\nLogs:  ${logs}\n`)
    },
  }
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}
