import { expect, test } from 'vitest'
import { judgeHubAnswer } from './hub-proof.ts'

const NEVER = 'countersign: refused proof: this was only to be judged'

test.each<[what: string, kind: 'landed' | 'refused' | 'unreachable', said: string, result: string, found: string]>([
  [
    'a hub that works',
    'refused',
    `countersign: refused 0123456789ab local-only-path: Approved/x\n${NEVER}`,
    'ok',
    '(local-only-path)',
  ],
  [
    'a hub without its rules',
    'refused',
    '!\t… [remote rejected] (cannot lock ref)',
    'failed',
    'its rules said nothing',
  ],
  ['a hub that takes it in', 'landed', '*\t…', 'failed', 'it took it in'],
  ['a hub whose rules find nothing wrong', 'refused', NEVER, 'failed', 'its rules said nothing'],
  ['an older hub', 'refused', 'countersign: refused ref: only refs/heads/main is kept here', 'skipped', 'older'],
  [
    'a gate that is broken',
    'refused',
    'countersign: refused gate-failed: no trust file',
    'skipped',
    'gate refuses everything',
  ],
  ['a hub that is away', 'unreachable', 'Connection refused', 'skipped', 'Connection refused'],
])('%s: %s', (_what, kind, said, result, found) => {
  expect(judgeHubAnswer({ kind, said })).toMatchObject({ result, found: expect.stringContaining(found) })
})
