import { expect, test } from "vitest";
import { draftOf, entries, inGroups, withEntry, withoutEntry } from "./draft";
import { form } from "../mock/profile";

const [reflector, janus] = form.kinds;
if (!reflector || !janus) throw new Error("the mock has two kinds");

test("a draft begins with the defaults", () => {
  expect(draftOf(reflector, {}).values["for"]).toBe("15m");
});

test("what was written stays when the provider changes", () => {
  const draft = draftOf(reflector, { url: "wss://host/call", nowhere: "x" });
  const other = draftOf(janus, draft.values);
  expect(other.kind).toBe("janus");
  expect(other.values["url"]).toBe("wss://host/call");
  expect(other.values).not.toHaveProperty("nowhere");
});

test("fields stand under their groups in their order", () => {
  expect(inGroups(reflector.fields).map(({ group }) => group)).toEqual([
    "Call",
    "Media path",
    "Beside the call",
    "Recovery",
  ]);
});

test("entries come singly, pasted together, and never twice", () => {
  expect(entries("")).toEqual([]);
  expect(withEntry("25s", " 31s ")).toBe("25s\n31s");
  expect(withEntry("25s", "31s, 45s\n25s")).toBe("25s\n31s\n45s");
  expect(withoutEntry("25s\n31s", "25s")).toBe("31s");
});
