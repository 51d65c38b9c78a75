import { readdirSync, readFileSync } from 'node:fs'

// What processes use, as Linux tells it under /proc.

/** The kernel's clock ticks a second as /proc shows them; the same on every Linux that Node runs on. */
const TICKS = 100

interface ProcessStat {
  readonly pid: number
  readonly parent: number
  /** Of itself and of its children that have ended, ticks. */
  readonly ticks: number
}

/** Processor seconds used so far by these processes, all that descend from them, and those whose command line has one of `marks`. */
export function cpuSeconds(roots: readonly number[], marks: readonly string[] = []): number {
  const ticks = family(roots, marks).reduce((sum, one) => sum + one.ticks, 0)
  return ticks / TICKS
}

/** Megabytes held by the same processes: resident, and with shared pages divided among those who share them. */
export function memoryMb(roots: readonly number[], marks: readonly string[] = []): { rss: number; pss: number } {
  const rollups = family(roots, marks).map(({ pid }) => textOf(`/proc/${pid}/smaps_rollup`))
  const sum = (line: RegExp) => rollups.reduce((kb, text) => kb + Number(line.exec(text)?.[1] ?? 0), 0)
  return { rss: Math.round(sum(/^Rss:\s+(\d+) kB/m) / 1024), pss: Math.round(sum(/^Pss:\s+(\d+) kB/m) / 1024) }
}

/** The run queue's average over a minute. */
export function load(): number {
  return Number(textOf('/proc/loadavg').split(' ')[0])
}

function family(roots: readonly number[], marks: readonly string[]): ProcessStat[] {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? statOf(Number(name)) : []))
  const chosen = new Set(roots)
  for (const { pid } of all) {
    const command = marks.length > 0 ? textOf(`/proc/${pid}/cmdline`) : ''
    if (pid !== process.pid && marks.some((mark) => command.includes(mark))) chosen.add(pid)
  }
  for (let size = -1; size !== chosen.size; ) {
    size = chosen.size
    for (const { pid, parent } of all) if (chosen.has(parent)) chosen.add(pid)
  }
  return all.filter(({ pid }) => chosen.has(pid))
}

function statOf(pid: number): ProcessStat[] {
  const text = textOf(`/proc/${pid}/stat`)
  // The name in brackets may hold blanks; after it come state, parent, …, utime, stime, cutime, cstime.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields.length < 15) return []
  const ticks = fields.slice(11, 15).reduce((sum, value) => sum + Number(value), 0)
  return [{ pid, parent: Number(fields[1]), ticks }]
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // It has ended since it was listed.
  }
}
