import { isAbsolute } from 'node:path'
import { CountersignError } from '#core/errors.ts'

/**
 * What the hub's address may be: an absolute path, `file://`, `ssh://`, `user@host:path` or `https://`. Plain `git://`
 * and `http://` carry the vault unencrypted and are refused, as is every helper (`ext::…`). Throws ERR_CONFIG_INVALID.
 */
export function checkHubUrl(url: string): string {
  const isPath = isAbsolute(url) || /^file:\/\/\//.test(url)
  const isHttps = /^https:\/\/[^-\s/][^\s]*\/[^\s]+$/.test(url)
  if ((isPath || isSshUrl(url) || isHttps) && !/[\0\r\n]/.test(url)) return url
  const found = url.replaceAll(/:\/\/[^@/\s]*@/g, '://***@').slice(0, 200)
  throw new CountersignError(
    'ERR_CONFIG_INVALID',
    `the hub's address ${JSON.stringify(found)} is none of: an absolute path, file://, ssh://, user@host:path, https:// ` +
      '(git:// and http:// are not encrypted)',
  )
}

/** Whether a hub is reached over ssh: `ssh://…` or `user@host:path`. */
export function isSshUrl(url: string): boolean {
  return (
    /^ssh:\/\/[^-\s/][^\s]*\/[^\s]+$/.test(url) || /^[A-Za-z0-9_][\w.-]*@[A-Za-z0-9[][^\s:]*:[^\s:-][^\s]*$/.test(url)
  )
}

/** The push option of a clone that gives the hub back what it had lost. */
export const RESTORE = 'restore'

/** What both a clone and the hub hold: nothing in a repository may run code, leave the tree or be lost in a power cut. */
export const HARDENED: Readonly<Record<string, string>> = {
  'core.repositoryFormatVersion': '0',
  'core.bare': 'true',
  'core.fileMode': 'false',
  'core.symlinks': 'false',
  'core.fsmonitor': 'false',
  'core.protectHFS': 'true',
  'core.protectNTFS': 'true',
  'core.attributesFile': '/dev/null',
  'core.excludesFile': '/dev/null',
  'core.fsync': 'all',
  'core.logAllRefUpdates': 'always',
  'gc.auto': '0',
  'gc.reflogExpire': 'never',
  'gc.reflogExpireUnreachable': 'never',
  'maintenance.auto': 'false',
  // One thread and a small window: the whole zone has to fit its memory limit.
  'pack.threads': '1',
  'pack.windowMemory': '16m',
  'submodule.recurse': 'false',
  'transfer.fsckObjects': 'true',
}

/** A clone's own settings on top of HARDENED. */
export function cloneSettings(options: {
  readonly hubUrl: string
  readonly agent: string
  readonly sshCommand?: string | undefined
}): Record<string, string> {
  return {
    ...HARDENED,
    'core.hooksPath': '/dev/null',
    'fetch.fsckObjects': 'true',
    // Git reads 100664 as 100644 and lets it pass otherwise.
    'fetch.fsck.badFilemode': 'error',
    'fetch.recurseSubmodules': 'false',
    'push.default': 'nothing',
    'protocol.allow': 'never',
    // The newer one lists refs in a round trip of its own; the hub has one ref.
    'protocol.version': '0',
    'protocol.file.allow': 'always',
    'protocol.ssh.allow': 'always',
    'protocol.https.allow': 'always',
    'user.useConfigOnly': 'true',
    'user.name': options.agent,
    'user.email': `${options.agent}@countersign.invalid`,
    'remote.hub.url': checkHubUrl(options.hubUrl),
    'remote.hub.fetch': '+refs/heads/main:refs/countersign/hub',
    ...(options.sshCommand !== undefined && { 'core.sshCommand': options.sshCommand }),
  }
}
