import { openBoard } from '#adapters/queue/board.ts'
import { connectRedis } from '#adapters/queue/redis.ts'
import { CountersignError } from '#core/errors.ts'
import { loadServiceConfig } from '#runtime/config.ts'
import { listen } from '#runtime/http.ts'
import { runService } from '#runtime/service.ts'
import { refusalOf } from './admit.ts'
import { boardSettings, MIN_PASSWORD } from './config.ts'

const LOOK_EVERY_MS = 5_000

const config = loadServiceConfig('board', boardSettings)

await runService('board', config, async (service) => {
  if (config.password.read().length < MIN_PASSWORD)
    throw new CountersignError(
      'ERR_CONFIG_INVALID',
      `the password in ${config.password.path} is shorter than ${MIN_PASSWORD} characters`,
    )
  const redis = service.resources.use(await connectRedis(config.redisUrl, config.redisPassword?.read(), service.log))
  service.check('redis', () => redis.ping())
  const board = await openBoard(redis, {
    refusalOf: (asked) => refusalOf(asked, config.password.read()),
    pages: config.pages,
  })
  service.resources.use(board)
  const { port } = service.resources.use(await listen(board.app, config.host, config.port))
  service.log.info({ host: config.host, port }, 'the board is open')

  // It works for whoever looks; that it could is all the progress there is.
  const beat = service.progress('redis asked', 30_000)
  const looking = setInterval(() => void redis.ping().then(beat), LOOK_EVERY_MS)
  service.resources.defer(() => clearInterval(looking))
})
