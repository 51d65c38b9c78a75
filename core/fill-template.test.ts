import { expect, test } from 'vitest'
import { fillTemplate } from './fill-template.ts'

test.each([
  ['Dear {{name}},', { name: 'Ana' }, 'Dear Ana,'],
  ['{{#name}}Dear {{name}}{{/name}}{{^name}}Hello{{/name}},', { name: 'Ana' }, 'Dear Ana,'],
  ['{{#name}}Dear {{name}}{{/name}}{{^name}}Hello{{/name}},', { name: '' }, 'Hello,'],
  ['a\n\n{{#more}}{{more}}{{/more}}\n\nb', { more: '' }, 'a\n\nb'],
  ['{{a}} {{b}}', { a: '{{b}} $& {{#b}}x{{/b}}', b: 'B' }, '{{b}} $& {{#b}}x{{/b}} B'],
  ['{{#a}}{{a}}{{/a}}', { a: '{{b}}', b: 'B' }, '{{b}}'],
  [
    '{{unknown}} {{#unknown}}x{{/unknown}} {{constructor}}',
    {},
    '{{unknown}} {{#unknown}}x{{/unknown}} {{constructor}}',
  ],
])('%j with %j is %j', (template, values, text) => {
  expect(fillTemplate(template, values as Record<string, string>)).toBe(text)
})
