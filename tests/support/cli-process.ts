import { execFile } from 'node:child_process'
import { join } from 'node:path'

export const CLI = join(import.meta.dirname, '../../cli/main.ts')

/** What a command of `countersign` on a home ended with: its exit code and its answer (`--json`). */
export interface Answer {
  readonly code: number
  readonly answer: unknown
}

/** Runs `countersign --json --home <root> …` as a process of its own. */
export function runCli(root: string, ...args: string[]): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>()
  execFile(process.execPath, [CLI, '--json', '--home', root, ...args], (error, stdout, stderr) => {
    const code = typeof error?.code === 'number' ? error.code : error ? -1 : 0
    try {
      resolve({ code, answer: JSON.parse(stdout) })
    } catch {
      resolve({ code, answer: `${stdout}${stderr}` })
    }
  })
  return promise
}
