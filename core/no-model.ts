import type { AskModel } from './ports/model.ts'

/** Where no model is set up. */
export const noModel: AskModel = () =>
  Promise.resolve({ kind: 'unanswered', reason: 'not-configured', say: 'no model is set up', costUsd: '0' })
