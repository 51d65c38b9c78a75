import { expect, test } from 'vitest'
import { createMetrics } from '#runtime/metrics.ts'
import { dailyProof, type KeptProof } from './daily-proof.ts'

const START = Date.parse('2026-12-01T10:00:00Z')
const MINUTE = 60_000
const line = (result: string) => ({ result, check: 'a', found: 'b' })

function world(before?: KeptProof) {
  const made: string[] = []
  const kept: KeptProof[] = []
  const errors: string[] = []
  const metrics = createMetrics({ service: 'health', zone: 'cloud', version: '0' })
  let fault: Error | undefined
  let now = START
  const look = dailyProof(
    {
      async prove() {
        if (fault) throw fault
        made.push(new Date(now).toISOString())
        return { at: new Date(now).toISOString(), verdict: 'broken', lines: ['ok', 'ok', 'failed'].map(line) }
      },
      keep: async (proof) => void kept.push(proof),
      ...{ before, metrics, log: { info() {}, error: (_about: object, text: string) => errors.push(text) } },
    } as Parameters<typeof dailyProof>[0],
    START,
  )
  const at = async (minutes: number) => {
    now = START + minutes * MINUTE
    await look(now)
  }
  const setFault = (one?: Error) => {
    fault = one
  }
  return { at, made, kept, errors, metrics, setFault }
}

test('a proof is made ten minutes after the start, then once a day, and its outcome is told', async () => {
  const { at, made, kept, errors, metrics } = world()
  for (const minutes of [0, 9, 10, 11, 1_440, 1_450, 1_460]) await at(minutes)
  expect(made).toEqual(['2026-12-01T10:10:00.000Z', '2026-12-02T10:10:00.000Z'])
  expect(kept).toHaveLength(2)
  expect(errors).toEqual(Array(2).fill('proof: something that must not be'))
  const exposed = await metrics.expose()
  expect(exposed).toContain(
    `countersign_proof_last_timestamp_seconds{service="health",zone="cloud"} ${Date.parse('2026-12-02T10:10:00Z') / 1000}\n`,
  )
  for (const [result, count] of [
    ['ok', 2],
    ['failed', 1],
    ['skipped', 0],
  ] as const)
    expect(exposed).toContain(`countersign_proof_lines{result="${result}",service="health",zone="cloud"} ${count}\n`)
})

test('one of before counts over a restart, and is told at once', async () => {
  const before = { at: '2026-12-01T02:00:00.000Z', verdict: 'holds', lines: [line('ok')] }
  const { at, made, metrics } = world(before)
  expect(await metrics.expose()).toContain('countersign_proof_lines{result="failed",service="health",zone="cloud"} 0\n')
  for (const minutes of [0, 60, 16 * 60 - 1]) await at(minutes)
  expect(made).toEqual([])
  await at(16 * 60)
  expect(made).toHaveLength(1)
})

test('one that could not be made is tried again in ten minutes, and the age of the last one goes on', async () => {
  const { at, made, errors, metrics, setFault } = world()
  setFault(new Error('no answer'))
  for (const minutes of [10, 15]) await at(minutes)
  expect(errors).toEqual(['the proof that this zone cannot act was not made'])
  expect(await metrics.expose()).not.toContain('countersign_proof_last_timestamp_seconds{')
  setFault()
  await at(20)
  expect(made).toHaveLength(1)
})
