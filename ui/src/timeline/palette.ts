/// The page's colours for the canvas, which knows no custom properties.

export interface Palette {
  plane: string;
  ink: string;
  ink2: string;
  ink3: string;
  line: string;
  grid: string;
  hatch: string;
  mute: string;
  lit: string;
  accent: string;
  wash: string;
  font: string;
}

export function palette(element: Element): Palette {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    plane: read("--plane"),
    ink: read("--ink"),
    ink2: read("--ink-2"),
    ink3: read("--ink-3"),
    line: read("--line"),
    grid: read("--grid"),
    hatch: read("--hatch"),
    mute: read("--mute"),
    lit: read("--lit"),
    accent: read("--accent"),
    wash: read("--wash"),
    font: style.fontFamily,
  };
}
