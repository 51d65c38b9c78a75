import { expect, test } from 'vitest'
import { type InitOptions, makePlan } from './init-options.ts'
import type { Ask } from './questions.ts'

const HOME = { root: '/nowhere/zones/home', isNew: true }

/** A person who gives the same answers by the question's first words, the first that is accepted of each. */
function answering(answers: Record<string, readonly string[]>) {
  const asked: string[] = []
  const ask: Ask = async (question, { standard = '', faultIn } = {}) => {
    asked.push(question)
    const begin = Object.keys(answers).find((one) => question.startsWith(one))
    return (begin && answers[begin]?.find((one) => !faultIn?.(one))) || standard
  }
  return { asked, ask }
}

test('asks for what no flag says, and again for what is not usable', async () => {
  const { asked, ask } = answering({
    'Your e-mail address': ['you', 'you@example.org'],
    'IMAP server': ['imaps://imap.example.org', 'imap.example.org'],
    'IMAP password': ['pass word'],
    'This machine': ['vm host', 'vm.example.org:2300'],
  })
  const options: InitOptions = { ownerName: 'Olga Owner' }
  const { plan, faults } = await makePlan({ ...HOME, zone: 'cloud' }, options, ask)
  expect(faults).toEqual([])
  expect(plan).toMatchObject({
    settings: {
      COUNTERSIGN_OWNER_ADDRESS: 'you@example.org',
      COUNTERSIGN_OWNER_NAME: 'Olga Owner',
      COUNTERSIGN_IMAP_HOST: 'imap.example.org',
      COUNTERSIGN_IMAP_USER: 'you@example.org',
    },
    secrets: { 'imap-password': 'pass word' },
    hubHost: 'vm.example.org:2300',
  })
  expect(asked.some((question) => question.startsWith('Your name') || question.startsWith('SMTP'))).toBe(false)
})

test('tells every fault of the flags at once, and asks nothing then', async () => {
  const { asked, ask } = answering({})
  const options: InitOptions = {
    ownerAddress: 'notanaddress',
    smtpPort: 'abc',
    owner: 'me:us',
    pair: '/nowhere/pairing.json',
    imapPasswordFile: '/nowhere/password',
  }
  const { faults } = await makePlan({ ...HOME, zone: 'local' }, options, ask)
  expect(faults.join('\n')).toMatch(/pairing\.json[\s\S]*password[\s\S]*--owner[\s\S]*OWNER_ADDRESS[\s\S]*SMTP_PORT/)
  expect(asked).toEqual([])
})

test('asks for a Gmail token instead of an SMTP server where Gmail sends', async () => {
  const token = { type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r' }
  const { asked, ask } = answering({
    'Your e-mail address': ['you@gmail.com'],
    'IMAP server': ['imap.gmail.com'],
    'Gmail token': [JSON.stringify(token)],
  })
  const { plan, faults } = await makePlan({ ...HOME, zone: 'local' }, { mailProvider: 'gmail' }, ask)
  expect(faults).toEqual([])
  expect(asked.filter((question) => /SMTP/.test(question))).toEqual([])
  const { type: _, ...bare } = token
  expect(JSON.parse(plan.secrets['gmail-token'] ?? '')).toEqual(bare)
})

test('asks for nothing of IMAP where the mailbox is at Gmail', async () => {
  const { asked, ask } = answering({ 'Your e-mail address': ['you@gmail.com'] })
  const { plan, faults } = await makePlan({ ...HOME, zone: 'cloud' }, { mailboxProvider: 'gmail' }, ask)
  expect(faults).toEqual([])
  expect(plan.settings).toMatchObject({ COUNTERSIGN_MAILBOX_PROVIDER: 'gmail' })
  expect(asked.filter((question) => /IMAP/.test(question))).toEqual([])
  expect(asked.some((question) => question.startsWith('Gmail token'))).toBe(true)
})

test('asks for a model, and only what belongs to it', async () => {
  const { asked, ask } = answering({
    'Model that drafts': ['gpt', 'anthropic:some-model'],
    'Cheaper model': ['openai:llama3.2'],
    'Its server': ['ftp://x', 'http://127.0.0.1:11434/v1'],
    'Price of the drafting model': ['3 USD', '3/15'],
    'API key of Anthropic': ['sk-key'],
  })
  const { plan, faults } = await makePlan({ ...HOME, zone: 'cloud' }, {}, ask)
  expect(faults).toEqual([])
  expect(plan.settings).toMatchObject({
    COUNTERSIGN_MODEL_LARGE: 'anthropic:some-model',
    COUNTERSIGN_MODEL_SMALL: 'openai:llama3.2',
    COUNTERSIGN_OPENAI_URL: 'http://127.0.0.1:11434/v1',
    COUNTERSIGN_MODEL_LARGE_PRICE: '3/15',
  })
  expect(plan.secrets).toEqual({ 'anthropic-key': 'sk-key' })
  expect(asked.filter((question) => question.startsWith('Model that drafts'))).toHaveLength(1)
})

test('asks for nothing of a model that is not wanted', async () => {
  const { asked, ask } = answering({})
  const { plan } = await makePlan({ ...HOME, zone: 'cloud' }, {}, ask)
  expect(asked.filter((question) => /model|key|server \(empty/i.test(question))).toEqual([
    expect.stringMatching(/^Model that drafts/),
  ])
  expect(Object.keys(plan.settings)).not.toContain('COUNTERSIGN_MODEL_LARGE')
})

test('any other setting can be said, and one that the zone does not have is refused by name', async () => {
  const set = 'COUNTERSIGN_UNDO_MS=5000\nCOUNTERSIGN_EGRESS_PRIVATE=mail.home.example'
  const { plan, faults } = await makePlan({ ...HOME, zone: 'local' }, { set }, undefined)
  expect(faults).toEqual([])
  expect(plan.settings).toEqual({ COUNTERSIGN_UNDO_MS: '5000', COUNTERSIGN_EGRESS_PRIVATE: 'mail.home.example' })
  const wrong = 'COUNTERSIGN_UNDO=5000\nUNDO_MS\nCOUNTERSIGN_ZONE=cloud\nCOUNTERSIGN_UNDO_MS=soon'
  const refused = await makePlan({ ...HOME, zone: 'local' }, { set: wrong }, undefined)
  expect(refused.faults).toEqual([
    '--set: COUNTERSIGN_UNDO is no setting of this zone’s file',
    '--set: expected NAME=value, such as COUNTERSIGN_UNDO_MS=5000, got "UNDO_MS"',
    '--set: COUNTERSIGN_ZONE is no setting of this zone’s file',
    expect.stringMatching(/^COUNTERSIGN_UNDO_MS: .*"soon"/),
  ])
})
