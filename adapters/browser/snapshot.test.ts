import { describe, expect, test } from 'vitest'
import { cellsOf, fieldsIn, type PageNode, readAnswer, textOf } from './snapshot.ts'

const answer = (yaml: string, address = 'https://bank.example/x') =>
  `### Page\n- Page URL: ${address}\n- Page Title: any\n### Snapshot\n\`\`\`yaml\n${yaml}\n\`\`\``
const nodeOf = (yaml: string) => readAnswer(answer(yaml), false).snapshot as PageNode

test.each([
  ['- definition [ref=e5]: 1.234,56 EUR', '1.234,56 EUR'],
  ['- definition [ref=e5]: "ACME: \\"GmbH\\" #1 - [x]"', 'ACME: "GmbH" #1 - [x]'],
  ['- heading "New transfer" [level=1] [ref=e15]', 'New transfer'],
  ['- generic [ref=e1]:\n  - text: 1.234,56\n  - strong [ref=e2]: EUR', '1.234,56 EUR'],
  ['- textbox "Payee" [active] [ref=e3]: Muster', 'Muster'],
  ['- textbox "Payee" [ref=e3]', ''],
  ['- textbox "Date" [ref=e3]:\n  - /placeholder: DD.MM.YYYY', ''],
  ['- heading "Done" [level=1] [ref=e1]: Not done', 'Not done'],
])('the text of %j is %j', (yaml, text) => {
  expect(textOf(nodeOf(yaml))).toBe(text)
})

test('fields are counted, buttons and texts are not', () => {
  const yaml = `- generic [ref=e1]:
  - textbox "Payee" [ref=e2]
  - combobox "Currency" [ref=e3]:
    - option "EUR" [selected]
  - checkbox "Express" [checked] [ref=e4]
  - button "Continue" [ref=e5]
  - text: textbox`
  expect(fieldsIn(nodeOf(yaml))).toBe(3)
})

test('a table is read row by row', () => {
  const yaml = `- table [ref=e1]:
  - rowgroup [ref=e2]:
    - row [ref=e3]:
      - columnheader "IBAN" [ref=e4]
      - columnheader "Amount" [ref=e5]
  - rowgroup [ref=e6]:
    - row [ref=e7]:
      - cell "DE89370400440532013000" [ref=e8]
      - 'cell "1: ''x''" [ref=e9]'`
  expect(cellsOf(nodeOf(yaml))).toEqual([
    ['IBAN', 'Amount'],
    ['DE89370400440532013000', "1: 'x'"],
  ])
})

describe('an answer that means: do not go on', () => {
  test.each<[name: string, text: string, isError: boolean, kind: string]>([
    ['a dialog', `${answer('- heading "x"')}\n### Modal state\n- ["alert" dialog]`, false, 'dialog'],
    ['a second window', `### Open tabs\n- 0: (current) []()\n- 1: []()\n${answer('- heading "x"')}`, false, 'window'],
    ['a second snapshot', `${answer('- heading "x"')}\n### Snapshot\n\`\`\`yaml\n- heading "y"\n\`\`\``, false, 'page'],
    ['a snapshot that is no YAML', answer('- : ['), false, 'page'],
    ['an empty snapshot', answer('text'), false, 'page'],
    ['no element', '### Error\nError: "#x" does not match any elements.', true, 'no-element'],
    ['many elements', '### Error\nError: strict mode violation: x', true, 'many-elements'],
    ['a page that did not load', '### Error\nError: page.goto: net::ERR_TUNNEL_CONNECTION_FAILED', true, 'unreachable'],
    ['a profile in use', '### Error\nError: Browser is already in use for /x', true, 'in-use'],
    ['a browser that ended', '### Error\nError: Target page, context or browser has been closed', true, 'gone'],
    ['any other error', '### Error\nsomething', true, 'page'],
  ])('%s', (_name, text, isError, kind) => {
    let found: unknown
    try {
      readAnswer(text, isError)
    } catch (error) {
      found = error
    }
    expect(found).toMatchObject({ kind })
    // No word of the page goes any further.
    expect(String((found as Error).message)).not.toMatch(/net::|strict|\/x|something/)
  })
})
