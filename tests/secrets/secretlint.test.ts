import { rules } from '@secretlint/secretlint-rule-preset-recommend'
import { describe, expect, it } from 'vitest'
import { secretlintScan } from '#adapters/secretlint/secretlint.ts'
import { SECRETLINT_TRIGGERS } from '#adapters/secretlint/triggers.ts'
import manifest from '../../package.json' with { type: 'json' }
import { SECRETLINT_SAMPLES as SAMPLES } from './secretlint-samples.ts'

const scan = secretlintScan()
const find = async (text: string) =>
  (await scan.scan({ path: 'Plans/x.md', bytes: Buffer.from(text) })).map(({ rule }) => rule)

describe('secretlint', () => {
  it('runs every rule of the preset but the one that a text can switch the others off with', () => {
    const names = rules.map(({ meta }) => meta.id.replace('@secretlint/secretlint-rule-', ''))
    expect(names.toSorted()).toEqual([...Object.keys(SAMPLES), 'filter-comments'].toSorted())
  })

  it.each(Object.entries(SAMPLES))('finds a %s secret, and the quick look lets it through', async (name, text) => {
    expect(await find(text)).toContain(`secretlint.${name}`)
    expect(SECRETLINT_TRIGGERS.test(text)).toBe(true)
  })

  it.each([
    '<!-- secretlint-disable -->',
    '# secretlint-disable',
    '// secretlint-disable-next-line',
    '/* secretlint-disable-line */',
  ])('is not switched off by %s', async (directive) => {
    expect(await find(`${directive}\n${SAMPLES.github} ${directive}\n`)).toEqual(['secretlint.github'])
  })

  it('looks at what is wrapped and escaped, too', async () => {
    expect(await find(Buffer.from(`a token: ${SAMPLES.github}`).toString('base64'))).toEqual(['secretlint.github'])
    expect(await find((SAMPLES.github ?? '').replace('_', '_\u200b'))).toEqual(['secretlint.github'])
  })

  it('says so when a text takes too long', async () => {
    const slow = `mongodb://${'a:b'.repeat(80_000)}`
    const hurried = secretlintScan(1)
    const found = await hurried.scan({ path: 'Plans/x.md', bytes: Buffer.from(slow.repeat(4)) })
    expect(found).toEqual([{ rule: 'scan.too-slow', kind: 'block' }])
  })

  it('keeps no mark of what ran', async () => {
    performance.clearMarks()
    await find(SAMPLES.github ?? '')
    expect(performance.getEntriesByType('mark').filter(({ name }) => name.startsWith('@core'))).toEqual([])
  })

  it('is pinned to the version whose rules the quick look was read from', () => {
    const versions = Object.entries(manifest.dependencies).filter(([name]) => name.startsWith('@secretlint/'))
    expect(new Set(versions.map(([, version]) => version))).toEqual(new Set(['13.1.0']))
  })
})
