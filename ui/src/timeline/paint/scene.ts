/// All that one picture shows, as it stands when it is painted.
import type { PauseView, Region, Row } from "../../generated/story";
import type { Curve } from "../curves";
import type { Layout } from "../layout";
import type { LitLane } from "../lit";
import type { Palette } from "../palette";
import type { Scale } from "../scale";

export interface Scene {
  layout: Layout;
  scale: Scale;
  /// Where the lanes begin, below the ruler.
  top: number;
  drops: readonly Region[];
  /// Those of them that are drawn as a loss: where the computer slept, its sleep is drawn.
  losses: readonly Region[];
  pauses: readonly PauseView[];
  lit: ReadonlySet<number>;
  litLanes: readonly LitLane[];
  rows: ReadonlyMap<string, readonly Row[]>;
  curves: ReadonlyMap<string, Curve>;
  grid: readonly number[];
  /// Where the record ends; what comes after is planned.
  now: number;
  palette: Palette;
  /// The lanes stand close, and few words fit.
  folded: boolean;
}

/// Where a lane's line runs.
export function height(scene: Scene, row: { middle: number }): number {
  return scene.top + row.middle;
}

/// A loss that was not mended lasts as long as the record.
export function over(scene: Scene, drop: Region): number {
  return drop.restored ?? scene.now;
}
