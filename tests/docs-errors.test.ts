import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '#core/errors.ts'

const page = readFileSync(join(dirname(import.meta.dirname), 'docs/errors.md'), 'utf8')
const entries = page
  .split(/^## /m)
  .slice(1)
  .map((section) => {
    const [code = '', ...rest] = section.split('\n')
    return { code, text: rest.join('\n').trim() }
  })

describe('docs/errors.md', () => {
  it('has one entry per error code, in order, and none for a code that does not exist', () => {
    expect(entries.map(({ code }) => code)).toEqual(Object.keys(ERROR_CODES).toSorted())
  })

  it('says of each code what the table says about trying again, and what happened', () => {
    for (const { code, text } of entries) {
      const { retryable } = ERROR_CODES[code as keyof typeof ERROR_CODES]
      expect(text, code).toMatch(retryable ? /^Retried: yes/ : /^Retried: no/)
      expect(text.length, code).toBeGreaterThan(80)
    }
  })
})
