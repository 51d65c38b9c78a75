/** `2026-11-20 10:00 UTC`, of milliseconds since the epoch or of an ISO time whose form was checked. */
export function minuteOf(at: number | string): string {
  const iso = typeof at === 'number' ? new Date(at).toISOString() : at
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
}
