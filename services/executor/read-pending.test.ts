import { expect, test } from 'vitest'
import { vaultPath } from '#core/vault-path.ts'
import { makeDraft } from '#tests/support/executor.ts'
import { pendingReader } from './read-pending.ts'

const { text, fileName } = makeDraft()
const PATH = vaultPath(`Pending_Approval/email/${fileName}`)

function world() {
  const state = { stamp: '1' as string | undefined, count: 0, text, reads: 0 }
  const deps = {
    vault: {
      stamp: async () => state.stamp,
      read: async () => {
        state.reads++
        return state.text
      },
    },
    received: { count: () => state.count },
  }
  const reader = pendingReader()
  const read = async () => {
    const found = await reader.read(PATH, deps as never)
    return found.kind === 'read' ? found.text : found.kind
  }
  return { state, reader, read }
}

test('a file is read once while nothing tells that it changed', async () => {
  const { state, read } = world()
  for (let index = 0; index < 3; index++) expect(await read()).toBe(text)
  expect(state.reads).toBe(1)
})

test.each([
  ['its stamp changed', { stamp: '2' }],
  ['it is too young for a stamp', { stamp: undefined }],
  ['something was received under its name', { count: 1 }],
])('it is read again when %s', async (_what, change) => {
  const { state, read } = world()
  await read()
  Object.assign(state, change, { text: `${text}more` })
  expect(await read()).toBe(`${text}more`)
})

test('what was read before the stamp is not believed, and what is gone is forgotten', async () => {
  const { state, reader, read } = world()
  state.stamp = undefined
  await read()
  state.stamp = '1'
  await read()
  expect(state.reads).toBe(2)
  reader.keepOnly([])
  await read()
  expect(state.reads).toBe(3)
})
