/// Where the picture is looked at: which stretch, and the moment that is read. The full and the folded picture share it.
import type { View } from "./scale";

export class Look {
  /// Nothing: all of it.
  view = $state.raw<View>();
  pinned = $state<number>();
  hovered = $state<number>();
}
