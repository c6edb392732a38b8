/** Who looks, and what they may do. */

import { signal } from "@preact/signals";
import { call, Problem } from "./api";
import { signedOut } from "./signedout";

export type Right = "enqueue" | "read" | "work" | "operate" | "admin";

export interface Session {
  /** Of the API key; null where nobody needs one. */
  name: string | null;
  rights: Right[];
  /** The queues to which the key is limited; null is all. */
  queues: string[] | null;
  /** Whether everybody may do everything. */
  open: boolean;
}

/** undefined: not known yet. null: an API key is needed. */
export const session = signal<Session | null | undefined>(undefined);

/** Whether who looks may do something. Buttons for what they may not do are not shown; the API would refuse it. */
export function may(right: Right): boolean {
  return session.value?.rights.includes(right) ?? false;
}

/** Ask who we are. Raises Problem where the server does not answer. */
export async function look(): Promise<void> {
  try {
    session.value = (await call<Session>("GET", "session")).data;
    signedOut.value = false;
  } catch (error) {
    if (!(error instanceof Problem) || (error.status !== 401 && error.status !== 403)) throw error;
    session.value = null;
  }
}

/** Sign in with an API key, which is kept in a cookie that no script can read. Raises Problem. */
export async function signIn(key: string): Promise<void> {
  session.value = (await call<Session>("POST", "session", { body: { key } })).data;
  signedOut.value = false;
}

export async function signOut(): Promise<void> {
  await call("DELETE", "session");
  session.value = undefined;
  await look();
}

/** Whether who looks may see what is about all queues: a key that is limited to some may not. */
export function tellsAll(): boolean {
  return session.value?.queues === null;
}
