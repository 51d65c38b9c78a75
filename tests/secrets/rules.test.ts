import { describe, expect, it } from 'vitest'
import { findSecrets, SECRET_RULES } from '#core/secret-rules.ts'
import { RULE_FIXTURES } from './rule-fixtures.ts'

const NAMES = [...new Set(SECRET_RULES.map((rule) => rule.name))]
const fixtures = (side: 'finds' | 'leaves') =>
  NAMES.flatMap((name) => (RULE_FIXTURES[name]?.[side] ?? []).map((text) => ({ name, text })))
const rulesIn = (text: string, rules = SECRET_RULES) => findSecrets(text, rules).map((found) => found.rule)

describe('the rule pack', () => {
  it('has texts to find and texts to leave for each of its rules', () => {
    expect(Object.keys(RULE_FIXTURES).toSorted()).toEqual(NAMES.toSorted())
    for (const { finds, leaves } of Object.values(RULE_FIXTURES)) {
      expect(finds.length).toBeGreaterThan(0)
      expect(leaves.length).toBeGreaterThan(0)
    }
  })

  it.each(fixtures('finds'))('finds $name in $text', ({ name, text }) => {
    expect(rulesIn(text)).toContain(name)
  })

  it.each(fixtures('leaves'))('finds no $name in $text', ({ name, text }) => {
    expect(rulesIn(text)).not.toContain(name)
  })

  it.each(SECRET_RULES.map((rule, index) => ({ index, name: rule.name })))(
    'needs its rule $index ($name): something is found by no other',
    ({ index, name }) => {
      const others = SECRET_RULES.toSpliced(index, 1)
      const missed = (RULE_FIXTURES[name]?.finds ?? []).filter((text) => !rulesIn(text, others).includes(name))
      expect(missed.length).toBeGreaterThan(0)
    },
  )

  it('is given no trigger that keeps a rule from a text it would find something in', () => {
    for (const { text } of [...fixtures('finds'), ...fixtures('leaves')]) {
      const always = SECRET_RULES.map((rule) => ({ ...rule, triggers: [''] }))
      expect(rulesIn(text)).toEqual(rulesIn(text, always))
    }
  })
})
