import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWatchedRedis, type WatchedRedis } from '../support/watched-redis.ts'

let zone: WatchedRedis
let users: Record<'default' | 'watch' | 'board', Redis>
/** Every command and subcommand of this Redis, with so many arguments as it wants at least. */
let commands: { readonly call: readonly [string, ...string[]]; readonly writes: boolean }[]

beforeAll(async () => {
  zone = await startWatchedRedis('redis-exporter')
  const host = await zone.address('redis')
  const as = async (username: string, secret: string) => {
    const password = /[^"]{20,}(?="?}?$)/.exec(await zone.secret(secret))?.[0] ?? ''
    return new Redis({ host, username, password, maxRetriesPerRequest: 1 })
  }
  users = {
    default: await as('default', 'redis-password'),
    watch: await as('watch', 'redis-watch'),
    board: await as('board', 'redis-board'),
  }
  type Told = [name: string, arity: number, flags: string[], ...rest: unknown[]]
  const withSubcommands = (told: Told): Told[] => [told, ...((told[9] as Told[] | undefined) ?? [])]
  commands = ((await users.default.call('COMMAND')) as Told[]).flatMap(withSubcommands).map(([name, arity, flags]) => {
    const words = name.split('|') as [string, ...string[]]
    const missing = Math.max(0, Math.abs(arity) - words.length)
    return {
      call: [...words, ...Array.from({ length: missing }, () => 'bull:x')] as const,
      writes: flags.includes('write'),
    }
  })
}, 60_000)
afterAll(async () => {
  for (const user of Object.values(users ?? {})) user.disconnect()
  await zone?.[Symbol.asyncDispose]()
})

/** By the user's rights, or (what is no command alone, or switched off for everyone) before they were looked at. */
const REFUSED = /^NOPERM|unknown subcommand|command not allowed|without MULTI/i
const answerOf = (user: Redis, call: readonly [string, ...string[]]) =>
  user.call(...call).then(
    () => 'done',
    (error: Error) => error.message,
  )

describe('the users of Redis', () => {
  it('are known by their own passwords only', async () => {
    const host = await zone.address('redis')
    const stranger = new Redis({
      host,
      username: 'watch',
      password: await zone.secret('redis-password'),
      lazyConnect: true,
    })
    stranger.on('error', () => {})
    await expect(stranger.ping()).rejects.toThrow(/WRONGPASS|closed/)
    stranger.disconnect()
  })

  it('watch: may ask how Redis is, and nothing else of all it can do', async () => {
    const allowed: string[] = []
    for (const { call } of commands) {
      // What ends a connection, changes how it speaks, or ends a transaction that cannot begin, guards nothing.
      if (['quit', 'hello', 'auth', 'reset', 'exec'].includes(call[0])) continue
      if (!REFUSED.test(await answerOf(users.watch, call))) allowed.push(call.join(' '))
    }
    expect(allowed.sort()).toEqual(['info', 'ping'])
  })

  it('board: may use no command that writes', async () => {
    const writing = commands.filter(({ writes }) => writes)
    expect(writing.length).toBeGreaterThan(100)
    for (const { call } of writing) expect(await answerOf(users.board, call), call.join(' ')).toMatch(/^NOPERM/)
  })

  it('board: may not let a script write for it', async () => {
    await users.default.set('bull:kept', 'as it was')
    for (const script of ["return redis.call('set', KEYS[1], 'other')", "return redis.pcall('del', KEYS[1])"])
      expect(await answerOf(users.board, ['eval', script, '1', 'bull:kept'])).toMatch(/NOPERM|ACL failure/)
    expect(await users.board.get('bull:kept')).toBe('as it was')
  })

  it.each([
    ['what is not of the queues', ['get', 'other'] as const],
    ['all names', ['keys', '*'] as const],
    ['the settings', ['config', 'get', '*'] as const],
    ['who is connected', ['client', 'list'] as const],
    ['everything that is said', ['monitor'] as const],
    ['the scripts of others', ['script', 'flush'] as const],
    ['the users', ['acl', 'list'] as const],
  ])('board: may not see or touch %s', async (_what, call) => {
    expect(await answerOf(users.board, call)).toMatch(/^NOPERM/)
  })

  it('serve the exporter, which asks for nothing that is refused', async () => {
    const answer = await fetch(`http://${await zone.address('redis-exporter')}:9121/metrics`)
    const text = await answer.text()
    expect(text).toMatch(/^redis_up 1$/m)
    expect(text).toMatch(/^redis_memory_max_bytes 6\.71/m)
    expect(await zone.logs('redis-exporter')).not.toMatch(/level=(error|warn)|NOPERM/i)
  })
})
