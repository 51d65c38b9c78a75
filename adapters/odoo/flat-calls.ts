import type { OdooCall, OdooCalls, WriteAnswer } from './calls.ts'

type Args = Readonly<Record<string, unknown>>

/** `OdooCalls` with `ids` and `context` beside the arguments, as set-up and proofs, which make many short calls, read best. */
export interface FlatCalls {
  userId(): Promise<number>
  read(model: string, method: string, args: Args): Promise<unknown>
  write(model: string, method: string, args: Args): Promise<WriteAnswer>
}

export function flatCalls(calls: OdooCalls): FlatCalls {
  return {
    userId: calls.userId,
    read: (model, method, args) => calls.read(model, method, splitCall(args)),
    write: (model, method, args) => calls.write(model, method, splitCall(args)),
  }
}

function splitCall({ ids, context, ...args }: Args): OdooCall {
  return {
    ...(ids !== undefined && { ids: ids as readonly number[] }),
    ...(context !== undefined && { context: context as Args }),
    args,
  }
}
