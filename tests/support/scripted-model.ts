import type { AskModel, ModelQuestion, ModelReply } from '#core/ports/model.ts'

/** An answer as a provider would give it: text that may be anything, or why there is none. */
export type Scripted = string | object | Extract<ModelReply<unknown>, { kind: 'unanswered' }>

/**
 * A model that answers from a list, one question after the other, each for 0.01 USD; what is no answer of the asked form is
 * `unusable`, as it is after the real one's repair. Past the list's end it repeats its last answer.
 */
export function scriptedModel(...answers: readonly Scripted[]): { ask: AskModel; asked: ModelQuestion<unknown>[] } {
  const asked: ModelQuestion<unknown>[] = []
  const ask: AskModel = async <T>(question: ModelQuestion<T>): Promise<ModelReply<T>> => {
    asked.push(question as ModelQuestion<unknown>)
    const answer = answers[Math.min(asked.length, answers.length) - 1] ?? ''
    if (typeof answer === 'object' && 'kind' in answer && answer.kind === 'unanswered')
      return answer as Extract<ModelReply<T>, { kind: 'unanswered' }>
    const read = question.form.read(typeof answer === 'string' ? answer : JSON.stringify(answer))
    return read.ok
      ? { kind: 'answered', value: read.value, model: 'scripted-1', costUsd: '0.01' }
      : { kind: 'unanswered', reason: 'unusable', say: `the model's answer: ${read.problem}`, costUsd: '0.01' }
  }
  return { ask, asked }
}

export function unanswered(
  reason: Extract<ModelReply<unknown>, { kind: 'unanswered' }>['reason'],
  say: string,
): Extract<ModelReply<unknown>, { kind: 'unanswered' }> {
  return { kind: 'unanswered', reason, say, costUsd: '0' }
}
