/** Every page: where it is, what it is called, and which letter leads to it. */

import type { ComponentType } from "preact";
import { About } from "./pages/about";
import { ApiKeys } from "./pages/apikeys";
import { Audit } from "./pages/audit";
import { ErrorGroup } from "./pages/errorgroup";
import { Errors } from "./pages/errors";
import { Job } from "./pages/job";
import { Jobs } from "./pages/jobs";
import { Key } from "./pages/key";
import { Keys } from "./pages/keys";
import { NodePage } from "./pages/node";
import { Nodes } from "./pages/nodes";
import { OperationPage } from "./pages/operation";
import { Operations } from "./pages/operations";
import { Overview } from "./pages/overview";
import { QueuePage } from "./pages/queue";
import { Queues } from "./pages/queues";
import { SchedulePage } from "./pages/schedule";
import { Schedules } from "./pages/schedules";
import { TypePage } from "./pages/type";
import { Types } from "./pages/types";
import { may, type Right, tellsAll } from "./session";

export interface PageProps {
  /** The parameters of the path. */
  params: Record<string, string>;
}

export interface Route {
  path: string;
  title: string;
  page: ComponentType<PageProps>;
  /** `g` and this letter lead there; pages without one are not in the menu. */
  letter?: string;
  right?: Right;
  /** Whether it is about all queues, so nothing for an API key that is limited to some. */
  all?: boolean;
}

/** Whether who looks may see a page. */
export function isOpen(route: Route): boolean {
  return may(route.right ?? "read") && (!route.all || tellsAll());
}

export const ROUTES: readonly Route[] = [
  { path: "/", title: "Overview", page: Overview, letter: "o" },
  { path: "/jobs", title: "Jobs", page: Jobs, letter: "j" },
  { path: "/jobs/:id", title: "Job", page: Job },
  { path: "/errors", title: "Errors", page: Errors, letter: "e" },
  { path: "/errors/:group", title: "Error", page: ErrorGroup },
  { path: "/queues", title: "Queues", page: Queues, letter: "q" },
  { path: "/queues/:name", title: "Queue", page: QueuePage },
  { path: "/nodes", title: "Nodes", page: Nodes, letter: "n", all: true },
  { path: "/nodes/:id", title: "Node", page: NodePage, all: true },
  { path: "/schedules", title: "Schedules", page: Schedules, letter: "s", all: true },
  { path: "/schedules/:name", title: "Schedule", page: SchedulePage, all: true },
  { path: "/types", title: "Types", page: Types, letter: "t", all: true },
  { path: "/types/:name", title: "Type", page: TypePage, all: true },
  { path: "/keys", title: "Keys", page: Keys, letter: "k", all: true },
  { path: "/keys/:key", title: "Key", page: Key, all: true },
  { path: "/operations", title: "Operations", page: Operations, letter: "p" },
  { path: "/operations/:id", title: "Operation", page: OperationPage },
  { path: "/audit", title: "Audit log", page: Audit, letter: "l", all: true },
  { path: "/api-keys", title: "API keys", page: ApiKeys, letter: "i", right: "admin", all: true },
  { path: "/about", title: "About", page: About, letter: "a", all: true },
];
