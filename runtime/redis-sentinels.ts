import { z } from 'zod'

export const redisUrl = z
  .string('expected redis://host:port')
  .regex(/^rediss?:\/\/[^\s/]+(\/\d+)?$/, 'expected redis://host:port or rediss://host:port')

const EXPECTED = 'expected name@host:port,host:port'

/** `name@host:port,host:port`: servers that say which Redis of that name is the master (Redis Sentinel). */
export const redisSentinels = z
  .string(EXPECTED)
  .regex(/^[\w.-]{1,100}@[\w.-]{1,253}:\d{1,5}(,[\w.-]{1,253}:\d{1,5})*$/, EXPECTED)
  .transform((text) => {
    const [name = '', hosts = ''] = text.split('@')
    const addresses = hosts.split(',').map((one) => one.split(':'))
    return { name, hosts: addresses.map(([host = '', port]) => ({ host, port: Number(port) })) }
  })
  .refine(({ hosts }) => hosts.every(({ port }) => port > 0 && port < 65_536), EXPECTED)

interface Settings {
  readonly redisSentinels: z.output<typeof redisSentinels> | undefined
  readonly redisSentinelPassword: { read(): string } | undefined
}

/** What adapters/queue asks for the master; undefined where Redis stands alone. */
export function sentinelsOf({ redisSentinels: named, redisSentinelPassword }: Settings) {
  return named && { ...named, password: redisSentinelPassword?.read() }
}
