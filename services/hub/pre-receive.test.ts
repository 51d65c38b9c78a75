import { expect, it } from 'vitest'
import { FORGED_PATH, PROOF_REF } from '#core/hub-proof.ts'
import type { Oid, SignedCommit } from '#core/ports/repo.ts'
import { judgePush, type PushReader } from './pre-receive.ts'

const oid = (digit: string) => digit.repeat(40) as Oid
const [A, B] = [oid('a'), oid('b')]
const NONE = '0'.repeat(40)
const BYTES = Buffer.from('note\n')
const PATH = 'Plans/trip.md'
const context = { agents: new Map([['cloud', 'cloud'] as const]), pushedBy: 'cloud' }

const commit = (signer = 'cloud', parents = [A]): SignedCommit => ({
  ...{ oid: B, parents, message: 'sync', header: '', trailers: {}, committedAt: 0 },
  signature: { state: 'good', agent: signer, fingerprint: `SHA256:${signer}` },
  changes: [{ path: PATH, after: { mode: '100644', oid: oid('1'), size: BYTES.length } }],
})

function pushOf(commits: SignedCommit[], { count = commits.length, standing = [] as string[] } = {}): PushReader {
  return {
    commitsBetween: async () => commits,
    readBlob: async () => BYTES,
    isAncestor: async () => true,
    countBetween: async () => count,
    standingNames: async () => standing,
  }
}
const judge = (line: string, push = pushOf([commit()])) => judgePush(`${line}\n`, push, context)

it('an honest push has no faults', async () => {
  expect(await judge(`${A} ${B} refs/heads/main`)).toEqual([])
})

it.each([
  [`${A} ${B} refs/heads/other`, /^countersign: refused ref: only refs\/heads\/main/],
  [`${NONE} ${B} refs/tags/v1`, /refused ref/],
  [`${A} ${NONE} refs/heads/main`, /refused deletion: main is never deleted/],
  ['nonsense', /refused ref/],
])('is refused what is no update of main: %s', async (line, fault) => {
  expect(await judge(line)).toEqual([expect.stringMatching(fault)])
})

it('a push without any ref is refused', async () => {
  expect(await judgePush('', pushOf([]), context)).toEqual([expect.stringMatching(/git named no ref/)])
})

it('more commits than a push may bring are counted, not read', async () => {
  const push = { ...pushOf([], { count: 501 }), commitsBetween: () => Promise.reject(new Error('read')) }
  expect(await judge(`${A} ${B} refs/heads/main`, push)).toEqual([
    'countersign: refused bbbbbbbbbbbb too-many-commits: 501 in one push, 500 are allowed',
  ])
  expect(await judge(`${A} ${B} refs/heads/main`, pushOf([commit()], { count: 500 }))).toEqual([])
})

it('a proof is judged like any commit and never let in, and one that brings a history is not even judged', async () => {
  const line = `${NONE} ${B} ${PROOF_REF}`
  const never = 'countersign: refused proof: this was only to be judged'
  expect(await judge(line, pushOf([commit('cloud', [])]))).toEqual([never])
  const forged = { ...commit('cloud', []), changes: [{ ...commit().changes[0], path: FORGED_PATH }] } as SignedCommit
  expect(await judge(line, pushOf([forged]))).toEqual([expect.stringMatching(/local-only-path/), never])
  const push = { ...pushOf([], { count: 2 }), commitsBetween: () => Promise.reject(new Error('read')) }
  expect(await judge(line, push)).toEqual([never])
  expect(await judge(`${A} ${NONE} ${PROOF_REF}`)).toEqual([expect.stringMatching(/refused ref/)])
})

it('a name that stands already is looked for in the hub’s own tree', async () => {
  const push = pushOf([commit()], { standing: ['Plans/TRIP.md'] })
  expect(await judge(`${A} ${B} refs/heads/main`, push)).toEqual([expect.stringMatching(/name-differs-only-in-case/)])
})

it('whoever pushes has signed, except what fills an empty hub', async () => {
  const agents = new Map([
    ['cloud', 'cloud'],
    ['local', 'local'],
  ] as const)
  const signedByLocal = (parents: Oid[]) => pushOf([commit('local', parents)], { count: 501 })
  const update = await judgePush(`${A} ${B} refs/heads/main`, pushOf([commit('local')]), { ...context, agents })
  expect(update).toEqual([expect.stringMatching(/pusher-is-not-signer/)])
  expect(await judgePush(`${NONE} ${B} refs/heads/main`, signedByLocal([]), { ...context, agents })).toEqual([])
})
