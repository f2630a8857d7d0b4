// How smoothly a page draws while something is done to it.

/// Counts the page's animation frames while `action(page)` is repeated for `ms`; an action that is null only waits.
/// { median, worst_tenth }: frames per second of the middle frame, and the mean of the slowest tenth; { frames, longest_ms }.
export async function frames_per_second(page, action, ms) {
  await page.evaluate(() => {
    const counted = { times: [], running: true };
    window.__frames = counted;
    const count = (now) => {
      counted.times.push(now);
      if (counted.running) requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
  });
  const until = Date.now() + ms;
  do {
    if (action) await action(page);
    else await page.waitForTimeout(Math.min(100, ms));
  } while (Date.now() < until);
  const times = await page.evaluate(() => {
    window.__frames.running = false;
    return window.__frames.times;
  });
  return rates_of(times);
}

/// Of the times (ms) at which frames were begun.
export function rates_of(times) {
  const gaps = times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b);
  if (gaps.length === 0) return { median: 0, worst_tenth: 0, frames: 0, longest_ms: Infinity };
  const worst = gaps.slice(-Math.max(1, Math.floor(gaps.length / 10)));
  const round = (value) => Math.round(value * 10) / 10;
  return {
    median: round(1000 / gaps[Math.floor(gaps.length / 2)]),
    worst_tenth: round((1000 * worst.length) / worst.reduce((sum, gap) => sum + gap, 0)),
    frames: gaps.length,
    longest_ms: round(gaps.at(-1)),
  };
}
