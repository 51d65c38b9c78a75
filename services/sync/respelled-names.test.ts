import { describe, expect, it } from 'vitest'
import { makeSyncWorld } from '#tests/support/sync-world.ts'
import type { CycleOutcome } from './sync-cycle.ts'

describe('a name in another Unicode form', () => {
  it('is respelled and carried', async () => {
    const { local, hub } = makeSyncWorld()
    local.files.put('Plans/Idée.md'.normalize('NFD'), 'x')
    expect((await local.sync()).kind).toBe('synced')
    expect(Object.fromEntries([...hub.files()].filter(([path]) => !path.startsWith('Logs/')))).toEqual({
      'Plans/Idée.md': 'x',
    })
    expect([...local.files.files().keys()].filter((path) => path.startsWith('Plans'))).toEqual(['Plans/Idée.md'])
  })

  it('is left alone and told of where the other form is another file', async () => {
    const { local } = makeSyncWorld()
    local.files.put('Plans/Idée.md', 'y')
    local.files.put('Plans/Idée.md'.normalize('NFD'), 'x')
    const { report } = (await local.sync()) as Extract<CycleOutcome, { kind: 'synced' }>
    expect(report.held).toEqual([{ path: 'Plans/Idée.md'.normalize('NFD'), rule: 'path-not-nfc' }])
    expect(local.files.text('Plans/Idée.md'.normalize('NFD'))).toBe('x')
  })
})
