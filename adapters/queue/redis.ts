import { Redis, type RedisOptions } from 'ioredis'
import { CountersignError } from '#core/errors.ts'
import type { Log } from '#runtime/logger.ts'

const CONNECT_TIMEOUT_MS = 3_000
/** A Redis that takes a command and never answers (stopped, half-open link) counts as away. */
const COMMAND_TIMEOUT_MS = 5_000
/** Longer than any blocking read of a worker (15 s), so that only a dead link ends one. */
const WORKER_SILENCE_MS = 20_000
const MAX_RECONNECT_MS = 2_000

/** The zone's Redis. Reconnects by itself once it was reached; says so in the log once per outage. */
export interface RedisConnection extends AsyncDisposable {
  /** `host:port`, fit for messages. */
  readonly address: string
  /** Commands fail at once while Redis is away, instead of piling up. */
  readonly producer: Redis
  /** A new connection for a worker, which waits for Redis as long as it takes. Closed by its user. */
  workerConnection(): Redis
  /** True, or what is wrong: a check of readiness. */
  ping(): Promise<true | string>
}

/** Which Redis of a name is the one to write to. The address then says only the user and TLS. */
export interface Sentinels {
  readonly name: string
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  readonly password: string | undefined
}

/**
 * Throws ERR_REDIS_UNREACHABLE, naming host and port and never the password, when Redis does not answer now. With
 * sentinels, each new connection asks them which server is the master now; what a lost master had not handed on is lost,
 * and rung for again by the next reconcile.
 */
export async function connectRedis(
  url: string,
  password: string | undefined,
  log: Log,
  sentinels?: Sentinels,
): Promise<RedisConnection> {
  const address = sentinels ? `${sentinels.name} of ${sentinels.hosts.map(hostPort).join(', ')}` : addressOf(url)
  let reached = false
  const { server, user } = apart(url)
  const producer = new Redis(server, {
    ...(user && { username: user }),
    ...(password === undefined ? {} : { password }),
    ...(sentinels && watchedBy(sentinels, () => reached)),
    lazyConnect: true,
    enableOfflineQueue: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    // The first connection fails at once: whoever starts the service decides when to try again.
    retryStrategy: (times) => (reached ? Math.min(times * 200, MAX_RECONNECT_MS) : null),
  })
  const fault = watchOutages(producer, address, log)
  try {
    await producer.connect()
    await producer.ping()
  } catch (error) {
    producer.disconnect()
    throw unreachable(address, fault() ?? error)
  }
  reached = true
  return {
    address,
    producer,
    workerConnection() {
      const options: Partial<RedisOptions> = {
        maxRetriesPerRequest: null,
        enableOfflineQueue: true,
        lazyConnect: false,
      }
      // Undefined takes the producer's limit away again; a blocking read has no answer for seconds.
      const connection = producer.duplicate({
        ...options,
        commandTimeout: undefined,
        socketTimeout: WORKER_SILENCE_MS,
      } as RedisOptions)
      connection.on('error', () => {}) // Outages are told by the producer's connection, once.
      return connection
    },
    async ping() {
      try {
        await producer.ping()
        return true
      } catch (error) {
        return unreachable(address, fault() ?? error).message
      }
    },
    async [Symbol.asyncDispose]() {
      producer.disconnect()
    },
  }
}

function watchedBy({ name, hosts, password }: Sentinels, reached: () => boolean) {
  return {
    name,
    sentinels: hosts.map(({ host, port }) => ({ host, port })),
    ...(password !== undefined && { sentinelPassword: password }),
    // A master that was deposed and still answers is left at once.
    failoverDetector: true,
    sentinelRetryStrategy: (times: number) => (reached() ? Math.min(times * 200, MAX_RECONNECT_MS) : null),
  }
}

function hostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host}:${port}`
}

/** ioredis says "Connection is closed." to the caller and the reason (ECONNREFUSED, WRONGPASS) to this listener. */
function watchOutages(client: Redis, address: string, log: Log): () => unknown {
  let fault: unknown
  let away = false
  client.on('error', (error) => {
    fault = error
  })
  client.on('reconnecting', () => {
    if (!away) log.warn({ err: unreachable(address, fault ?? 'connection lost') }, `lost Redis at ${address}`)
    away = true
  })
  client.on('ready', () => {
    if (away) log.info({}, `Redis at ${address} is back`)
    away = false
    fault = undefined
  })
  return () => fault
}

function unreachable(address: string, cause: unknown): CountersignError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const found = code || (cause instanceof Error ? cause.message : String(cause)).slice(0, 200)
  return new CountersignError('ERR_REDIS_UNREACHABLE', `cannot reach Redis at ${address}: ${found}`, { cause })
}

/** The user of an address that has no password in it: there ioredis would read an empty one, and ask for no other. */
function apart(url: string): { server: string; user?: string } {
  const [, scheme, user, rest] = /^(rediss?:\/\/)([^@/:]+)@(.*)$/.exec(url) ?? []
  return user === undefined ? { server: url } : { server: `${scheme}${rest}`, user: decodeURIComponent(user) }
}

function addressOf(url: string): string {
  try {
    const { hostname, port } = new URL(url)
    return `${hostname}:${port || 6379}`
  } catch {
    return 'an address that cannot be read'
  }
}
