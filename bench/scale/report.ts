import { quantile, shown, table, whole } from '../sync/statistics.ts'
import { SERVICES, type ServiceName } from './zone.ts'

/** One number of drafters, at work for a while. */
export interface Window {
  readonly replicas: number
  readonly by: string
  readonly drafts: number
  readonly seconds: number
  /** Drafts a second, in slices of five seconds. */
  readonly slices: readonly number[]
  /** From asking for so many drafters until each was ready. */
  readonly readyS: number
  /** Claimed tasks when the window was opened. */
  readonly left: number
  /** Drafts that the hub did not have yet when it was closed. */
  readonly behind: number
  /** Nothing was left to do before it was closed. */
  readonly isDry: boolean
  /** Drafts of each replica, the most first. */
  readonly shares: readonly number[]
  /** Processors kept busy, by service; all drafters together. */
  readonly cores: Readonly<Record<ServiceName | 'bench', string>>
  /** Proportional, of each drafter. */
  readonly memoryMb: readonly number[]
  readonly syncMb: readonly number[]
  readonly load: number
}

export interface Finding {
  readonly what: string
  readonly is: string
}

export interface Told {
  readonly windows: readonly Window[]
  readonly findings: readonly Finding[]
  readonly machine: string
  readonly tasks: number
  readonly modelMs: number
}

export function report(told: Told, isJson: boolean): void {
  if (isJson) {
    console.log(JSON.stringify(told))
    return
  }
  const { windows, findings } = told
  console.log(`A backlog of ${whole(told.tasks)} tasks, the cloud zone in containers; ${told.machine}\n`)
  const speed = [
    'drafts with',
    'drafters',
    'a second',
    'slices of 5 s',
    'times',
    'most to least of one drafter',
    'not at the hub yet',
    'load',
  ]
  console.log(
    table(
      speed,
      windows.map((one) => speedRow(one, windows)),
    ),
  )
  console.log('')
  const use = ['drafts with', 'drafters', ...SERVICES.map((name) => `${name}`), 'this script', 'a drafter', 'sync']
  console.log(table(use, windows.map(useRow)))
  console.log('\nProcessors kept busy by service; megabytes (proportional) of a drafter and of sync at the end.\n')
  console.log(
    table(
      ['besides', ''],
      findings.map(({ what, is }) => [what, is]),
    ),
  )
}

function speedRow(one: Window, all: readonly Window[]): string[] {
  const rate = one.drafts / one.seconds
  const first = all.find(({ by }) => by === one.by)
  const times = first ? rate / (first.drafts / first.seconds) : Number.NaN
  const sorted = one.slices.toSorted((a, b) => a - b)
  const [median, least, most] = [0.5, 0, 1].map((share) => quantile(sorted, share).toFixed(1))
  return [
    ...[one.by, `${one.replicas}`, `${rate.toFixed(1)}${one.isDry ? ' (ran dry)' : ''}`],
    ...[`${median} (${least} to ${most})`, `× ${times.toFixed(1)}`],
    ...[`${one.shares[0]} to ${one.shares.at(-1)}`, whole(one.behind), one.load.toFixed(1)],
  ]
}

function useRow(one: Window): string[] {
  const cores = [...SERVICES, 'bench' as const].map((name) => one.cores[name])
  return [one.by, `${one.replicas}`, ...cores, `${shown(one.memoryMb)} MB`, `${shown(one.syncMb)} MB`]
}
