/**
 * Code that acts towards the world. Invariant: none of it is in an image of the cloud zone, not even unused. Google's
 * own package (@googleapis/gmail) is there, because Gmail is read through it, and it can call whatever Gmail offers. What
 * it can do there is decided by the token: before anything else the cloud asks Google what its token may do, and with
 * one that can do more than read it does nothing (adapters/gmail/gmail-scopes.ts). Code of ours that sends is not there.
 */
export const ACTING_CODE: readonly RegExp[] = [
  /^adapters\/smtp\//,
  /^adapters\/browser\//,
  /^services\/browser\//,
  /^adapters\/social\//,
  /^adapters\/gmail\/sending\//,
  /^adapters\/odoo\/setup-[^/]+$/,
  /^adapters\/sepa\//,
  /^services\/executor\//,
  /^mcp\/email\/main-local\.ts$/,
  /^mcp\/email\/tools\/send-email\.ts$/,
  /^mcp\/social\/tools\/publish-post\.ts$/,
  /^adapters\/odoo\/acting\//,
  /^mcp\/odoo\/tools\/(post-invoice|record-payment)\.ts$/,
  /^mcp\/payment\//,
  /^mcp\/[^/]+\/main-local\.ts$/,
  /^adapters\/whatsapp\//,
  /^mcp\/whatsapp\/tools\//,
  /^cli\/commands\/whatsapp\.ts$/,
  /^node_modules\/nodemailer\//,
]

/** Begins the last line of each program in an image; after it, as JSON, the source files that it was made of. */
export const SOURCES_MARK = '//# countersign sources: '
