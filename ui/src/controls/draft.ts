/// What the profile form holds, as text: a list has a line for each entry, a switch says "true" or nothing. Pure.

import type { Draft, FormField, Kind } from "../generated/desk";

/** A kind's defaults, and what was written before for fields it has too. */
export function draftOf(kind: Kind, before: Draft["values"]): Draft {
  const values = kind.fields.map((field): [string, string] => [field.id, before[field.id] ?? field.default]);
  return { kind: kind.id, values: Object.fromEntries(values) };
}

/** Of the control in the page that holds a field. */
export function idOf(field: { id: string }): string {
  return `field-${field.id}`;
}

/** Fields under their groups' names, in the order in which these come first. */
export function inGroups(fields: readonly FormField[]): { group: string; fields: FormField[] }[] {
  const groups = new Map<string, FormField[]>();
  for (const field of fields) groups.set(field.group, [...(groups.get(field.group) ?? []), field]);
  return [...groups].map(([group, fields]) => ({ group, fields }));
}

export function entries(list: string): string[] {
  return list.split("\n").filter((entry) => entry !== "");
}

/** Several at once where they were pasted; none twice. */
export function withEntry(list: string, written: string): string {
  const more = written
    .split(/[\n,]+/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  return [...new Set([...entries(list), ...more])].join("\n");
}

export function withoutEntry(list: string, entry: string): string {
  return entries(list)
    .filter((other) => other !== entry)
    .join("\n");
}
