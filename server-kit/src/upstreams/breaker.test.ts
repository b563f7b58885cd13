import { describe, expect, test } from 'vitest';
import { Breaker } from './breaker.ts';

function broken(now = 0): Breaker {
  const breaker = new Breaker();
  for (let fault = 0; fault < 3; fault++) breaker.ended('fault', now, false);
  return breaker;
}

/** Lets one request through and ends it. */
function trial(breaker: Breaker, how: 'good' | 'fault' | 'neutral', now: number): void {
  expect(breaker.mayPass(now)).toBe(true);
  breaker.ended(how, now, breaker.passed());
}

describe('Breaker', () => {
  test('three faults in a row open it for 5 s', () => {
    const breaker = new Breaker();
    breaker.ended('fault', 0, false);
    breaker.ended('fault', 0, false);
    expect(breaker.mayPass(0)).toBe(true);
    breaker.ended('fault', 0, false);
    expect(breaker.state(0)).toBe('open');
    expect(breaker.mayPass(4999)).toBe(false);
    expect(breaker.state(5000)).toBe('half_open');
    expect(breaker.mayPass(5000)).toBe(true);
  });

  test('a good end between them starts the count anew', () => {
    const breaker = new Breaker();
    for (const how of ['fault', 'fault', 'good', 'fault', 'fault'] as const) breaker.ended(how, 0, false);
    expect(breaker.state(0)).toBe('closed');
  });

  test('half of the last 20 open it, and older ends are forgotten', () => {
    const breaker = new Breaker();
    for (let end = 0; end < 9; end++) {
      breaker.ended('good', 0, false);
      breaker.ended('fault', 0, false);
    }
    expect(breaker.state(0)).toBe('closed');
    breaker.ended('fault', 0, false);
    expect(breaker.state(0)).toBe('open');

    const other = new Breaker();
    for (let end = 0; end < 200; end++) other.ended(end % 3 === 0 ? 'fault' : 'good', 0, false);
    expect(other.state(0)).toBe('closed');
  });

  test('callers who leave and wrong requests never count, however many', () => {
    const breaker = new Breaker();
    for (let end = 0; end < 100; end++) breaker.ended('neutral', 0, false);
    expect(breaker.state(0)).toBe('closed');
    // Nor do they make a fault older or younger.
    breaker.ended('fault', 0, false);
    breaker.ended('neutral', 0, false);
    breaker.ended('fault', 0, false);
    breaker.ended('neutral', 0, false);
    breaker.ended('fault', 0, false);
    expect(breaker.state(0)).toBe('open');
  });

  test('one request goes through when it reopens, no second one beside it', () => {
    const breaker = broken();
    expect(breaker.passed()).toBe(true);
    expect(breaker.mayPass(5000)).toBe(false);
    expect(breaker.mayPass(500_000)).toBe(false);
  });

  test('its good end closes, its fault doubles the time up to 60 s', () => {
    const breaker = broken();
    let now = 0;
    for (const openMs of [5000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      expect(breaker.reopensAt).toBe(now + openMs);
      now += openMs;
      trial(breaker, 'fault', now);
    }
    trial(breaker, 'good', now + 60_000);
    expect(breaker.state(now + 60_000)).toBe('closed');
    // And what came before is forgotten.
    breaker.ended('fault', now, false);
    breaker.ended('fault', now, false);
    expect(breaker.state(now)).toBe('closed');
    breaker.ended('fault', now, false);
    expect(breaker.reopensAt).toBe(now + 5000);
  });

  test('a trial whose caller leaves says nothing: the next one decides', () => {
    const breaker = broken();
    trial(breaker, 'neutral', 5000);
    expect(breaker.state(5000)).toBe('half_open');
    trial(breaker, 'good', 5000);
    expect(breaker.state(5000)).toBe('closed');
  });

  test('ends of requests that began before it opened change nothing', () => {
    const breaker = broken();
    breaker.ended('good', 0, false);
    breaker.ended('fault', 4000, false);
    expect(breaker.state(1)).toBe('open');
    expect(breaker.reopensAt).toBe(5000);
  });

  test('one caller’s prompts that make a server fail do not close it to all others', () => {
    const breaker = new Breaker();
    for (let end = 0; end < 50; end++) breaker.ended('fault', 0, false, 'mallory');
    expect(breaker.state(0)).toBe('closed');
    breaker.ended('fault', 0, false, 'ada');
    breaker.ended('fault', 0, false, 'grace');
    expect(breaker.state(0)).toBe('open');
  });
});
