import { cpus, totalmem } from 'node:os'

/** `AMD EPYC, 2 cores, 24 GiB`: what figures are told with. */
export function machine(): string {
  return `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`
}
