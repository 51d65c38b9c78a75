/** What a method is called with: on which records, and its arguments by their names. */
export interface OdooCall {
  readonly ids?: readonly number[]
  /** No `undefined`, no Date: a day is `2026-12-01`. */
  readonly args?: Readonly<Record<string, unknown>>
  readonly context?: Readonly<Record<string, unknown>>
}

export type WriteAnswer =
  /** `value`: what the method returned; undefined where it returned what the protocol cannot carry (None). */
  | { readonly kind: 'done'; readonly value: unknown }
  /** Nobody can tell: look at the records. */
  | { readonly kind: 'unknown'; readonly reason: string }

/** Calls methods of an Odoo's models. By which protocol is the server's version's business. Nothing is ever tried again. */
export interface OdooCalls {
  /** The server's major version. Throws ERR_ODOO_*. */
  version(): Promise<number>
  /** The id of the key's user. Throws ERR_ODOO_*. */
  userId(): Promise<number>
  /** A call that changes nothing. Throws ERR_ODOO_*. */
  read(model: string, method: string, call: OdooCall): Promise<unknown>
  /** A call that changes something, made once. Throws ERR_ODOO_* only where surely nothing was changed. */
  write(model: string, method: string, call: OdooCall): Promise<WriteAnswer>
}
