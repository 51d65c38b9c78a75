import { expect, test } from 'vitest'
import { parseBackupTarget } from './backup-target.ts'

test.each([
  ['/mnt/disk/backups', { kind: 'path' }],
  ['sftp:backup@nas.example:/volume/x', { kind: 'sftp', address: 'backup@nas.example', host: 'nas.example', port: 22 }],
  [
    'sftp://backup@nas.example:2222//x',
    { kind: 'sftp', address: 'backup@nas.example', host: 'nas.example', port: 2222 },
  ],
  ['sftp:nas:x', { kind: 'sftp', address: 'nas', host: 'nas', port: 22 }],
  ['s3:https://s3.example.com/bucket/x', { kind: 's3', host: 's3.example.com', port: 443 }],
  ['s3:http://minio:9000/bucket', { kind: 's3', host: 'minio', port: 9000 }],
])('%s is a place', (text, found) => {
  expect(parseBackupTarget(text)).toEqual(found)
})

test.each([
  'backups',
  'sftp:-oProxyCommand=x:/y',
  'sftp:backup@-oProxyCommand=x:/y',
  's3:https://key:secret@s3.example.com/bucket',
  'rclone:remote:x',
  '/mnt/x\nRESTIC_PASSWORD=y',
  '',
])('%j is none', (text) => {
  expect(parseBackupTarget(text)).toBeUndefined()
})
