import { placesOf, watchCertificates, webPlace } from '#adapters/tls/watch-certificates.ts'
import { clockBounds } from '#core/clock-bounds.ts'
import type { ServiceContext } from '#runtime/service.ts'

/** Tells whether Odoo answers, what time it is there, and when its certificate ends. */
export async function watchBooks(
  { odooUrl: url, egress }: { readonly odooUrl: string; readonly egress: string | undefined },
  { resources, tell }: Pick<ServiceContext, 'resources' | 'tell'>,
): Promise<void> {
  const { watchOdoo } = await import('#adapters/odoo/odoo-health.ts')
  tell.depends('odoo', undefined)
  const onLook: Parameters<typeof watchOdoo>[1] = ({ found, clock }, askedAt, answeredAt) => {
    tell.depends('odoo', found)
    if (clock === undefined) return
    const { leastMs, mostMs } = clockBounds(clock, askedAt, answeredAt)
    tell.clock('odoo', leastMs, mostMs)
  }
  resources.use(watchOdoo({ url }, onLook))
  const places = placesOf({ odoo: webPlace(url, egress) })
  resources.use(watchCertificates(places, (of, ends) => tell.ends('certificate', of, ends)))
}
