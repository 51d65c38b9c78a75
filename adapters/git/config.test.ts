import { describe, expect, it } from 'vitest'
import { checkHubUrl } from './config.ts'

describe('the hub’s address', () => {
  it.each([
    '/srv/hub/vault.git',
    '/srv/my hub/vault.git',
    'file:///srv/hub/vault.git',
    'ssh://git@hub:2222/srv/hub/vault.git',
    'ssh://git@[::1]:22/vault.git',
    'git@github.com:someone/vault.git',
    'https://git.example/someone/vault.git',
  ])('may be %s', (url) => {
    expect(checkHubUrl(url)).toBe(url)
  })

  it.each([
    'git://hub/vault.git',
    'http://hub/vault.git',
    'ext::sh -c id',
    'fd::3',
    'ftp://hub/vault.git',
    'relative/vault.git',
    '../vault.git',
    '--upload-pack=id',
    '-oProxyCommand=id',
    'ssh://-oProxyCommand=id/x',
    'git@-oProxyCommand=id:x',
    'git@hub:-x',
    'https://hub/a b',
    '/srv/hub\n[core]',
    '',
  ])('is never %j', (url) => {
    expect(() => checkHubUrl(url)).toThrow(/is none of/)
  })

  it('is not repeated with its password', () => {
    expect(() => checkHubUrl('http://me:secret@hub/vault.git')).toThrow(/\*\*\*@hub/)
    expect(() => checkHubUrl('http://me:secret@hub/vault.git')).not.toThrow(/secret/)
  })
})
