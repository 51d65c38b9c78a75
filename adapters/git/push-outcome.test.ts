import { describe, expect, it } from 'vitest'
import { readPushOutcome } from './push-outcome.ts'

const line = (flag: string, summary: string) =>
  `To /srv/hub/vault.git\n${flag}\tabc:refs/heads/main\t${summary}\nDone\n`

describe('what a push answered', () => {
  it.each([
    ['a fast-forward', line(' ', 'abc..def'), '', { kind: 'landed' }],
    ['a new branch', line('*', '[new branch]'), '', { kind: 'landed' }],
    ['a forced update, which we never ask for', line('+', 'abc...def (forced update)'), '', { kind: 'unknown' }],
    ['nothing to do', line('=', '[up to date]'), '', { kind: 'unknown' }],
    ['a stale lease', line('!', '[rejected] (stale info)'), '', { kind: 'rejected', cause: 'raced' }],
    ['a head that moved', line('!', '[rejected] (fetch first)'), '', { kind: 'rejected', cause: 'raced' }],
    [
      'a lost race for the lock',
      line('!', '[remote rejected] (cannot lock ref)'),
      '',
      { kind: 'rejected', cause: 'raced' },
    ],
    [
      'a lost race at the update',
      line('!', '[remote rejected] (failed to update ref)'),
      '',
      { kind: 'rejected', cause: 'raced' },
    ],
    [
      'the hook’s no',
      line('!', '[remote rejected] (pre-receive hook declined)'),
      '',
      { kind: 'rejected', cause: 'refused' },
    ],
    [
      'objects that fsck refuses',
      line('!', '[remote rejected] (unpacker error)'),
      '',
      { kind: 'rejected', cause: 'refused' },
    ],
    [
      'a hub whose disk is full',
      line('!', '[remote rejected] (unpacker error)'),
      'remote: fatal: unable to write loose object file: No space left on device        \n',
      {
        kind: 'rejected',
        cause: 'unstored',
        reason: "the hub's disk: remote: fatal: unable to write loose object file: No space left on device",
      },
    ],
    [
      'a full disk that keeps the hub from locking the ref',
      line('!', '[remote rejected] (failed to update ref)'),
      "remote: error: cannot lock ref 'refs/heads/main': Unable to create 'main.lock': No space left on device\n",
      { kind: 'rejected', cause: 'unstored' },
    ],
    [
      'the hook’s no to a path that reads like a full disk',
      line('!', '[remote rejected] (pre-receive hook declined)'),
      'remote: countersign: refused path Plans/No space left on device.md\n',
      { kind: 'rejected', cause: 'refused' },
    ],
    [
      'no report after sending',
      line('!', '[remote failure] (remote failed to report status)'),
      '',
      { kind: 'unknown' },
    ],
    ['a dropped connection', '', 'fatal: the remote end hung up unexpectedly\n', { kind: 'unknown' }],
    ['another ref alone', ' \tabc:refs/heads/other\tabc..def\nDone\n', '', { kind: 'unknown' }],
    ['nothing at all', '', '', { kind: 'unknown', reason: 'no answer' }],
  ])('%s', (_what, stdout, stderr, outcome) => {
    expect(readPushOutcome(stdout, stderr)).toMatchObject(outcome)
  })

  it('gives the hook’s own lines as the reason, and no other chatter of the hub', () => {
    const stderr =
      'remote: Resolving deltas\nremote: countersign: refused abc mode: x        \nremote: countersign: refused abc size: y\n'
    expect(readPushOutcome(line('!', '[remote rejected] (pre-receive hook declined)'), stderr)).toMatchObject({
      reason: 'countersign: refused abc mode: x\ncountersign: refused abc size: y',
    })
  })
})
