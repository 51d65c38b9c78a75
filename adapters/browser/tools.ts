import { z } from 'zod'

const text = (max: number) => z.string().max(max)
/** A selector that names one element. */
const target = text(200)

/**
 * Every tool of Microsoft's browser server that is ever called, and the arguments it is called with. The server has more,
 * among them some that run any code in the page or in itself, and lets none be switched off: so the list is closed here,
 * and what is not in it has no way to be called (docs/decisions/0026).
 */
export const BROWSER_TOOLS = {
  browser_navigate: z.strictObject({ url: text(500) }),
  browser_snapshot: z.strictObject({ target }),
  browser_click: z.strictObject({ target }),
  browser_type: z.strictObject({ target, text: text(200) }),
  browser_select_option: z.strictObject({ target, values: z.array(text(100)).length(1) }),
  browser_take_screenshot: z.strictObject({ type: z.literal('png'), fullPage: z.literal(true) }),
  browser_close: z.strictObject({}),
} as const

export type BrowserTool = keyof typeof BROWSER_TOOLS
export type BrowserToolArgs<T extends BrowserTool> = z.infer<(typeof BROWSER_TOOLS)[T]>
