import { beforeAll, expect, test, vi } from "vitest";

let router: typeof import("./router");

beforeAll(async () => {
  vi.stubGlobal("location", { hash: "#/jobs?filter=status%3Afailed" });
  vi.stubGlobal("addEventListener", () => {});
  router = await import("./router");
});

test("the fragment says the path and the query", () => {
  expect(router.place.value.path).toBe("/jobs");
  expect(router.place.value.query.get("filter")).toBe("status:failed");
});

test.each([
  ["/jobs/:id", "/jobs/a%2Fb", { id: "a/b" }],
  ["/jobs/:id", "/jobs", null],
  ["/jobs/:id", "/jobs/a/b", null],
  ["/jobs/:id", "/jobs/%E0%A4%A", null],
  ["/", "/", {}],
  ["/queues/:name", "/queues/__proto__", { name: "__proto__" }],
])("%s and %s", (pattern, path, found) => {
  expect(router.match(pattern, path)).toEqual(found);
});

test("an address leaves out what is empty", () => {
  expect(router.href("/jobs", { filter: "type:a b", order: "", state: null, tag: ["x", "y"] })).toBe(
    "#/jobs?filter=type%3Aa+b&tag=x&tag=y",
  );
});

test("a name may be any text", () => {
  const name = "a/b?c#d %";
  const address = router.hrefTo("/keys", name);
  expect(router.match("/keys/:key", address.slice(1))).toEqual({ key: name });
});
