import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'

/** A claim that a process was told it had won. */
export interface Told {
  readonly agent: string
  readonly taskId: string
  readonly generation: number
  /** When it was told, ms since the epoch. */
  readonly at: number
}

/** On disk before it returns: what a process was told is told, whatever becomes of it. */
export function writeTold(file: string, { agent, taskId, generation, at }: Told): void {
  const descriptor = openSync(file, 'a')
  try {
    writeSync(descriptor, `${agent} ${taskId} ${generation} ${at}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

export function readTold(file: string): Told[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => {
    const [agent = '', taskId = '', generation, at] = line.split(' ')
    return { agent, taskId, generation: Number(generation), at: Number(at) }
  })
}
