/// What would lie on top of each other is drawn once. All lists are sorted by time, so that a view of millions is asked for
/// by halving and costs what its pixels cost.

export interface Timed {
  at: number;
}

/// The first whose time is not before `at`.
export function first<T>(list: readonly T[], at: number, time: (item: T) => number, from = 0): number {
  // What is near is found near: the reach doubles until it is too far.
  let reach = 8;
  let low = from;
  let high = Math.min(from + reach, list.length);
  while (high < list.length && time(list[high] as T) < at) {
    low = high + 1;
    reach *= 4;
    high = Math.min(low + reach, list.length);
  }
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (time(list[mid] as T) < at) low = mid + 1;
    else high = mid;
  }
  return low;
}

const timed = (item: Timed) => item.at;

export interface Cluster<T> {
  at: number;
  to: number;
  items: readonly T[];
  from: number;
  count: number;
}

/// Those in the stretch, gathered where less than `gap` seconds lie between the first and the next.
export function clusters<T extends Timed>(list: readonly T[], from: number, to: number, gap: number): Cluster<T>[] {
  const found: Cluster<T>[] = [];
  let index = first(list, from, timed);
  while (index < list.length) {
    const begin = (list[index] as T).at;
    if (begin > to) break;
    const end = Math.max(index + 1, first(list, begin + gap, timed, index));
    found.push({ at: begin, to: (list[end - 1] as T).at, items: list, from: index, count: end - index });
    index = end;
  }
  return found;
}

/// The one nearest to a moment, if it is within reach.
export function nearest<T extends Timed>(list: readonly T[], at: number, reach: number): T | undefined {
  const after = first(list, at, timed);
  const near = [list[after - 1], list[after]].filter((item): item is T => item !== undefined);
  near.sort((a, b) => Math.abs(a.at - at) - Math.abs(b.at - at));
  return near[0] && Math.abs(near[0].at - at) <= reach ? near[0] : undefined;
}

/// Spans that touch the stretch. They follow each other and never overlap.
export function within<T extends { from: number; to: number }>(
  list: readonly T[],
  from: number,
  to: number,
): readonly T[] {
  const begin = first(list, from, (span) => span.to);
  const end = first(list, to, (span) => span.from);
  return begin === 0 && end === list.length ? list : list.slice(begin, Math.max(begin, end));
}

export interface Stretch {
  from: number;
  to: number;
}

/// The widest part of a stretch that none of these lie in; of no width where there is none.
export function widest({ from, to }: Stretch, taken: readonly Stretch[]): Stretch {
  let best = { from, to: from };
  let free = from;
  const ordered = [...taken].sort((a, b) => a.from - b.from);
  for (const next of [...ordered, { from: to, to }]) {
    const until = Math.min(next.from, to);
    if (until - free > best.to - best.from) best = { from: free, to: until };
    free = Math.max(free, next.to);
  }
  return best;
}
