/** Whether the server has refused us for want of an API key: then the page asks for one. */

import { signal } from "@preact/signals";

export const signedOut = signal(false);
