import { parseEnv } from 'node:util'
import { expect, test } from 'vitest'
import { fillSettings, renderSettings } from './settings-file.ts'

test('writes what was given and leaves the rest to the standard values', () => {
  const parsed = parseEnv(renderSettings('local', { COUNTERSIGN_OWNER_NAME: "Ada O'Hara", COUNTERSIGN_UNDO_MS: '0' }))
  expect(parsed).toMatchObject({
    COUNTERSIGN_OWNER_NAME: 'Ada O’Hara',
    COUNTERSIGN_UNDO_MS: '0',
    COUNTERSIGN_IMAP_HOST: '',
  })
  expect(parsed).not.toHaveProperty('COUNTERSIGN_IMAP_PORT')
})

test('offers the cloud no setting for sending', () => {
  expect(renderSettings('cloud', {})).not.toContain('SMTP')
})

test('keeps settings it has no line for', () => {
  expect(parseEnv(renderSettings('cloud', { COUNTERSIGN_X: '1' }))).toMatchObject({ COUNTERSIGN_X: '1' })
})

test('fills what is empty or commented out and keeps what a person wrote', () => {
  const before = 'COUNTERSIGN_HUB_URL=\nCOUNTERSIGN_IMAP_HOST=mine.example\n# COUNTERSIGN_UNDO_MS=10000\n'
  const { text, kept } = fillSettings(before, {
    COUNTERSIGN_HUB_URL: '/srv/hub',
    COUNTERSIGN_IMAP_HOST: 'other.example',
    COUNTERSIGN_UNDO_MS: '500',
    COUNTERSIGN_NEW: 'x',
  })
  expect(parseEnv(text)).toEqual({
    COUNTERSIGN_HUB_URL: '/srv/hub',
    COUNTERSIGN_IMAP_HOST: 'mine.example',
    COUNTERSIGN_UNDO_MS: '500',
    COUNTERSIGN_NEW: 'x',
  })
  expect(kept).toEqual(['COUNTERSIGN_IMAP_HOST'])
})

test('does not call a value kept that is the same', () => {
  expect(fillSettings('A=1\n', { A: '1' })).toEqual({ text: 'A=1\n', kept: [] })
})
