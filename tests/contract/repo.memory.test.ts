import { memoryHub, memoryRepo } from '#adapters/memory/repo.ts'
import { repoContract } from './repo.contract.ts'

repoContract('in memory', async () => {
  const hub = memoryHub()
  return { clone: async (agent) => memoryRepo(hub, agent, { now: Date.now }), async [Symbol.asyncDispose]() {} }
})
