import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeStateFile } from '#adapters/state-files/state-files.ts'
import type { ServiceContext } from '#runtime/service.ts'
import type { HealthConfig } from './config.ts'
import { dailyProof, type KeptProof } from './daily-proof.ts'

const FILE = 'proof.json'
const LIMIT_MS = 300_000
const MAX_BYTES = 4 * 1024 * 1024

/** The command itself, in a process of its own: what it takes in memory is given back. */
export async function proofOfTheDay(
  { state }: HealthConfig,
  { metrics, log, stopping }: Pick<ServiceContext, 'metrics' | 'log' | 'stopping'>,
) {
  const program = join(dirname(process.argv[1] ?? ''), 'countersign.mjs')
  const prove = () =>
    new Promise<KeptProof>((resolve, reject) => {
      const options = { timeout: LIMIT_MS, maxBuffer: MAX_BYTES, signal: stopping, cwd: '/tmp' }
      execFile(process.execPath, [program, '--json', 'prove'], options, (error, stdout) => {
        const proof = readProof(stdout)
        // Its exit code says what it found.
        if (proof) resolve(proof)
        else reject(error ?? new Error('it said nothing'))
      })
    })
  const before = readProof(await readFile(join(state, FILE), 'utf8').catch(() => ''))
  const keep = (proof: KeptProof) => writeStateFile(state, FILE, `${JSON.stringify(proof, null, 2)}\n`)
  return dailyProof({ prove, keep, before, metrics, log }, Date.now())
}

function readProof(text: string): KeptProof | undefined {
  try {
    const proof = JSON.parse(text) as KeptProof
    const isProof = Number.isFinite(Date.parse(proof.at)) && typeof proof.verdict === 'string'
    return isProof && Array.isArray(proof.lines) ? proof : undefined
  } catch {
    return undefined
  }
}
