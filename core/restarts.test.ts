import { expect, test } from 'vitest'
import { type Judgement, judgeComponent, type Look, WELL } from './restarts.ts'

const START = Date.parse('2026-11-30T10:00:00Z')
const look = (second: number, boots: number, state: 'ready' | 'waiting' | 'silent'): Look => ({
  boots,
  isLive: state !== 'silent',
  isReady: state === 'ready',
  at: new Date(START + second * 1000).toISOString(),
})
/** What each look brings, one after the other. */
const judged = (looks: readonly Look[]): Judgement[] => {
  let watched = WELL
  return looks.map((one) => {
    const judgement = judgeComponent(watched, one)
    watched = judgement.watched
    return judgement
  })
}
const news = (looks: readonly Look[]) => judged(looks).map((one) => one.news)

test('a first start, and a restart that succeeds, are no news', () => {
  expect(news([look(0, 1, 'silent'), look(2, 1, 'ready'), look(62, 0, 'ready')])).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(news([look(0, 0, 'ready'), look(2, 1, 'silent'), look(4, 1, 'ready')])).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})

test('the third failed restart is told once, and that it is back once', () => {
  const looks = [
    ...[look(0, 1, 'silent'), look(2, 3, 'silent'), look(4, 4, 'silent'), look(6, 9, 'silent')],
    ...[look(8, 10, 'ready'), look(30, 10, 'ready'), look(68, 0, 'ready'), look(70, 0, 'ready')],
  ]
  expect(news(looks)).toEqual([undefined, undefined, 'fails', undefined, undefined, undefined, 'back', undefined])
})

test('one that gives no answer at all is taken to have failed once a minute', () => {
  expect(judged([look(0, 0, 'silent'), look(179, 0, 'silent')]).at(-1)).toMatchObject({
    failedRestarts: 2,
    news: undefined,
  })
  expect(judged([look(0, 0, 'silent'), look(180, 0, 'silent')]).at(-1)).toMatchObject({
    failedRestarts: 3,
    news: 'fails',
  })
})

test('one that answers and waits for something else has not failed, however long', () => {
  expect(judged([look(0, 1, 'waiting'), look(9_000, 0, 'waiting')]).at(-1)).toMatchObject({
    failedRestarts: 0,
    news: undefined,
  })
})

test('up and down again every few seconds is a failure all the same', () => {
  const flapping = [1, 2, 3, 4].flatMap((boots) => [
    look(boots * 10, boots, 'silent'),
    look(boots * 10 + 5, boots, 'ready'),
  ])
  expect(news(flapping).filter(Boolean)).toEqual(['fails'])
})

test('tells how long it was away', () => {
  const found = judged([
    look(0, 0, 'ready'),
    look(2, 0, 'silent'),
    look(5, 1, 'waiting'),
    look(9, 1, 'ready'),
    look(11, 1, 'ready'),
  ])
  expect(found.map((one) => one.recoveredAfterMs)).toEqual([undefined, undefined, undefined, 7_000, undefined])
})
