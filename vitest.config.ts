import { defineConfig } from 'vitest/config'

// Run in this order by `npm test`: unit needs nothing, integration needs real servers (containers or processes of
// its own), e2e needs Docker and the built images.
export default defineConfig({
  test: {
    // Every test stops the containers it started; the watchdog container would be one more image to fetch.
    env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
    projects: [
      {
        test: {
          name: 'unit',
          // One for each core; the default leaves one idle.
          maxWorkers: '100%',
          testTimeout: 60_000,
          include: [
            '{core,adapters,runtime,services,mcp,cli,demo,skills,tests/pins,tests/contract,tests/secrets,tests/injection}/**/*.test.ts',
            'tests/*.test.ts',
          ],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          // What is waited for has limits of its own that say what was missing.
          testTimeout: 600_000,
          hookTimeout: 180_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'stress',
          include: ['tests/stress/**/*.test.ts'],
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
