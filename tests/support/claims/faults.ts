import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Mulberry32: the schedule of faults follows from its seed, if not what they meet. */
export function randomOf(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

interface Running {
  readonly pid: number
  readonly args: readonly string[]
  readonly cwd: string
}

/** Processes of this machine by what they are run with; those that end meanwhile are left out. */
function processes(): Running[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').filter(Boolean)
        return [{ pid: Number(name), args, cwd: readlinkSync(`/proc/${name}/cwd`) }]
      } catch {
        return []
      }
    })
}

/** What git and ssh of one clone run now: they work in its repository. */
export function gitsOf(folder: string): number[] {
  return processes()
    .filter(({ args, cwd }) => cwd.startsWith(folder) && /(^|\/)(git|ssh)[\w-]*$/.test(args[0] ?? ''))
    .map(({ pid }) => pid)
}

/** The hub's ends of pushes that are running now. */
export function receivePacksOf(hub: string): number[] {
  return processes()
    .filter(({ args }) => args.includes(hub) && args.some((one) => one.endsWith('receive-pack')))
    .map(({ pid }) => pid)
}

/** False when it had ended already. */
export function killNow(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}
