import { execFile, spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

export type DemoLine = { readonly step: string; readonly ok: boolean; readonly ms: number; readonly found?: string }

export type DemoProcess = {
  /** Resolves when the step was told, or the demo ended before. */
  reached(step: string): Promise<void>
  kill(signal: NodeJS.Signals): void
  readonly ended: Promise<{ code: number | null; lines: DemoLine[]; stderr: string }>
  /** Processes and containers that still belong to this run. */
  leftovers(): Promise<string[]>
}

/** Runs `countersign demo --json` as a process of its own; `temporary` is its TMPDIR, which also marks all its children. */
export function startDemo(args: readonly string[], temporary: string): DemoProcess {
  const main = join(import.meta.dirname, '../../cli/main.ts')
  const child = spawn(process.execPath, [main, 'demo', '--json', ...args], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const lines: DemoLine[] = []
  const waiting = new Map<string, () => void>()
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const reader = createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as DemoLine
    lines.push(line)
    waiting.get(line.step)?.()
  })
  const ended = new Promise<{ code: number | null; lines: DemoLine[]; stderr: string }>((resolve) => {
    let code: number | null = null
    child.once('exit', (exitCode) => {
      code = exitCode
    })
    reader.once('close', () => {
      for (const wake of waiting.values()) wake()
      // The pipe may close a moment before the process is reaped.
      if (child.exitCode !== null || child.signalCode !== null) resolve({ code, lines, stderr })
      else child.once('exit', (exitCode) => resolve({ code: exitCode, lines, stderr }))
    })
  })
  return {
    reached: (step) =>
      lines.some((line) => line.step === step) || child.exitCode !== null
        ? Promise.resolve()
        : new Promise((resolve) => waiting.set(step, resolve)),
    kill: (signal) => void child.kill(signal),
    ended,
    leftovers: async () => [...(await processesWith(temporary)), ...(await containersWith(temporary))],
  }
}

async function processesWith(marker: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '') // it ended meanwhile
    if (environment.includes(marker)) found.push((await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' '))
  }
  return found
}

async function containersWith(marker: string): Promise<string[]> {
  const list = [
    'ps',
    '-a',
    '--filter',
    'label=countersign.world',
    '--format',
    '{{.Label "countersign.world"}} {{.Names}}',
  ]
  const { stdout } = await promisify(execFile)('docker', list).catch(() => ({ stdout: '' })) // no Docker here
  return stdout.split('\n').filter((line) => line.startsWith(marker))
}
