import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readNote } from './inbox-note.ts'

const FACTS = {
  contacts: { addresses: ['anna@client.example', 'bob@client.example'], domains: ['partner.example'] },
}
const read = (text: string, name = 'Untitled.md') => readNote(name, text, FACTS)

describe('a note', () => {
  test.each([
    ['Post: we are open again\n\nmore', [{}], 'we are open again'],
    ['# LinkedIn: what we learnt', [{ network: 'linkedin' }], 'what we learnt'],
    ['- X and Mastodon:\nNew office', [{ network: 'mastodon' }, { network: 'x' }], 'New office'],
    ['post on Twitter: hello', [{ network: 'x' }], 'hello'],
    ['---\ntags: [a\n---\nBluesky: hello', [{ network: 'bluesky' }], 'hello'],
  ])('%j is a post', (text, posts, title) => {
    const common = { kind: 'POST', domain: 'social', title, to: [], rule: 'begins-as-a-post' }
    expect(read(text)).toEqual(posts.map((one) => ({ ...common, ...one })))
  })

  test.each([
    ['Invoice for Anna, anna@client.example: 3 days', ['anna@client.example']],
    ['Rechnung an Klient schreiben', []],
    ['Customer: Acme\n3 days of work', []],
    ['wystaw fakturę', []],
  ])('%j is for accounting', (text, to) => {
    expect(read(text)).toMatchObject([{ kind: 'INVOICE', domain: 'accounting', to }])
  })

  test.each([
    ['Tell Anna@Client.example that we are closed on Friday', ['anna@client.example']],
    [
      'anna@client.example, bob@client.example and carl@evil.example: lunch?',
      ['anna@client.example', 'bob@client.example'],
    ],
    ['write to x@mail.partner.example', ['x@mail.partner.example']],
  ])('%j is a mail to contacts alone', (text, to) => {
    expect(read(text)).toMatchObject([{ kind: 'EMAIL', domain: 'email', to, rule: 'names-a-contact' }])
  })

  test.each([
    ['buy milk', /does not say what could be drafted/],
    ['write to thief@evil.example', /names thief@evil.example, who is no contact/],
    ['mail xanna@client.example', /no contact/],
  ])('%j is nothing that could be drafted', (text, say) => {
    expect(read(text)).toMatchObject([{ kind: 'NOTE', domain: 'general', say: expect.stringMatching(say) }])
  })

  test.each(['', ' \n\t\n', '---\ntags: x\n---\n', '# \n- \n'])('%j says nothing yet', (text) => {
    expect(read(text)).toBeUndefined()
  })

  test.each([
    ['Untitled.md', 'Lunch with Anna'],
    ['2026-11-20.md', 'Lunch with Anna'],
    ['Unbenannt 3.md', 'Lunch with Anna'],
    ['Bestellung für März.md', 'Bestellung für März'],
  ])('in %s is called %s', (name, title) => {
    expect(read('# Lunch with Anna\n\ntext', name)).toMatchObject([{ title }])
  })

  test('never throws, and names nobody who is no contact', () => {
    const words = fc.constantFrom(
      'Post: ',
      'X and ',
      'anna@client.example ',
      'a@evil.example ',
      'invoice ',
      '---\n',
      '# ',
      '\n',
    )
    fc.assert(
      fc.property(
        fc.array(fc.oneof(words, fc.string({ unit: 'binary', maxLength: 10 })), { maxLength: 20 }),
        (parts) => {
          for (const one of read(parts.join('')) ?? []) {
            expect(one.title).not.toBe('')
            for (const to of one.to) expect(to).toMatch(/@(client|.*partner)\.example$/)
          }
        },
      ),
    )
  })
})
