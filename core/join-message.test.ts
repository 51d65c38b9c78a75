import { describe, expect, it } from 'vitest'
import { makeTaskId } from './ids.ts'
import { holdsMessage, messageMark, quotes, withMessage } from './join-message.ts'
import { mailKey } from './mail.ts'
import {
  newTaskFile,
  renderSection,
  renderTaskFile,
  section,
  type TaskFile,
  withFront,
  withSection,
} from './task-file.ts'
import { messagesIn } from './thread-text.ts'

const ACCOUNT = 'owner@x.test'
type Changes = Parameters<typeof withFront>[1]

function task(id: string, minute: number, changes: Changes = {}, from = 'Ana <ana@acme.test>'): TaskFile {
  const at = new Date(Date.UTC(2026, 10, 20, 10, minute)).toISOString()
  const key = mailKey(ACCOUNT, { messageId: `<${id}@x>`, digest: '' })
  const made = newTaskFile(
    {
      ...{ id: makeTaskId(0, Buffer.from(key, 'hex')), schema: '1', kind: 'EMAIL', domain: 'email', title: 'Invoice' },
      ...{ created: at, generation: '0', risk: [], history: [] },
      source: {
        ...{ provider: 'imap', account: ACCOUNT, message_id: `<${id}@x>`, from, received: at, subject: 'Invoice' },
        ...{ reply_to: ['ana@acme.test'], references: [], messages: [messageMark(at, key)] },
      },
    },
    `\n${renderSection('original', `\`\`\`text\nFrom: ${from}\nTo: bo@acme.test\n\ntext of ${id}\n\`\`\``)}\n`,
  )
  return withFront(made, changes)
}
const joined = (target: TaskFile, message: TaskFile) => {
  const result = withMessage(target, message)
  if (!result) throw new Error('it stands there already')
  return result
}

describe('a message that joins a task', () => {
  it('stands in it once, however often it is put there', () => {
    const both = joined(task('a', 0), task('b', 1))
    expect(withMessage(both, task('b', 1))).toBeUndefined()
    expect(withMessage(both, task('a', 0))).toBeUndefined()
    expect(messagesIn(section(both, 'original') ?? '')).toHaveLength(2)
  })

  it('that says of no message is none', () => {
    const nameless = withFront(task('b', 1), { source: { provider: 'imap' } })
    expect(withMessage(task('a', 0), nameless)).toBeUndefined()
  })

  it('brings its flags, the higher priority and its language', () => {
    const a = task('a', 0, { risk: ['one'], priority: 'normal', language: 'en' })
    const b = task('b', 1, { risk: ['one', 'two'], priority: 'urgent', language: 'de' })
    expect(joined(a, b).front).toMatchObject({ risk: ['one', 'two'], priority: 'urgent', language: 'de' })
    expect(joined(b, task('c', 2)).front).toMatchObject({ priority: 'urgent', language: 'de' })
    expect(joined(task('a', 0), task('c', 2)).front).not.toHaveProperty('priority')
  })

  it('leaves the language to whoever is answered', () => {
    const a = task('a', 0, { language: 'en' })
    expect(joined(a, task('b', 1, { language: 'de' }, 'Eve <eve@evil.test>')).front.language).toBe('en')
    expect(joined(task('a', 0), task('b', 1, { language: 'de' }, 'Eve <eve@evil.test>')).front.language).toBe(undefined)
  })

  it.each([
    ['who wrote before', 'ANA@Acme.Test', []],
    ['who had a copy', 'bo@acme.test', []],
    ['the owner', ACCOUNT, []],
    ['a stranger', 'Ana <ana@acme-billing.test>', ['sender-not-in-thread']],
    ['nobody', 'undisclosed', ['sender-not-in-thread']],
  ])('is judged by who wrote it: %s', (_who, from, risk) => {
    const result = joined(task('a', 0), task('b', 1, {}, from))
    expect(result.front.risk).toEqual(risk)
    expect(result.front.source?.message_id).toBe(risk.length > 0 ? '<a@x>' : '<b@x>')
  })

  it('of a stranger makes them no part of the thread for the next one', () => {
    const once = joined(task('a', 0), task('b', 1, {}, 'thief@evil.test'))
    const twice = joined(once, task('c', 2, {}, 'thief@evil.test'))
    expect(twice.front.source).toMatchObject({ message_id: '<a@x>', reply_to: ['ana@acme.test'] })
  })
})

it('a mark tells which messages a task holds, and those it has left out', () => {
  const a = task('a', 5)
  expect(holdsMessage(a, messageMark('2026-11-20T09:00:00.000Z', 'f'.repeat(64)))).toBe(false)
  const messages = Array.from({ length: 100 }, (_, at) => messageMark('2026-11-20T10:00:00.000Z', `${at}`.padStart(16)))
  const cut = withFront(a, { source: { provider: 'imap', messages, left_out: '60' } })
  expect(holdsMessage(cut, messageMark('2026-11-20T09:00:00.000Z', 'f'.repeat(64)))).toBe(true)
  expect(holdsMessage(cut, messageMark('2026-11-20T11:00:00.000Z', 'f'.repeat(64)))).toBe(false)
  expect(holdsMessage(withFront(a, { source: undefined }), 'nonsense')).toBe(false)
})

it('a task quotes the messages it names, and no others', () => {
  const both = joined(task('a', 0), task('b', 1))
  expect(['<a@x>', '<b@x>', '<c@x>'].map((one) => quotes(both, one))).toEqual([true, true, false])
  expect(quotes(withFront(both, { source: undefined }), '<a@x>')).toBe(false)
})

/** Of 3,000 it was tried once: the same, in 43 s. */
const LENGTH = 200

it(`a thread of ${LENGTH} messages makes a small file that shows the newest and says how many it does not`, () => {
  const long = 'word '.repeat(200)
  let thread = task('m0', 0)
  for (let index = 1; index < LENGTH; index++) {
    const message = task(`m${index}`, index)
    const text = (section(message, 'original') ?? '').replace(/text of m\d+/, `$& ${long}`)
    thread = joined(thread, withSection(message, 'original', text))
  }
  const shown = section(thread, 'original') ?? ''
  expect(Buffer.byteLength(renderTaskFile(thread))).toBeLessThan(64 * 1024)
  expect(shown).toContain(`text of m${LENGTH - 1} word`)
  expect(shown).not.toContain('text of m100 ')
  expect(Number(thread.front.source?.left_out)).toBe(LENGTH - messagesIn(shown).length)
  expect(thread.front.source?.message_id).toBe(`<m${LENGTH - 1}@x>`)
})
