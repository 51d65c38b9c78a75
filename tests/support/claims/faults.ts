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

/** Processes of this machine whose arguments are as wanted; those that end meanwhile are left out. */
function processes(isWanted: (args: readonly string[], pid: string) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return isWanted(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean), pid)
      } catch {
        return false
      }
    })
    .map(Number)
}

/** What git and ssh of one clone run now: they work in its repository. */
export function gitsOf(folder: string): number[] {
  const isGit = (args: readonly string[]) => /(^|\/)(git|ssh)[\w-]*$/.test(args[0] ?? '')
  return processes((args, pid) => isGit(args) && readlinkSync(`/proc/${pid}/cwd`).startsWith(folder))
}

/** The hub's ends of pushes that are running now. */
export function receivePacksOf(hub: string): number[] {
  return processes((args) => args.includes(hub) && args.some((one) => one.endsWith('receive-pack')))
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
