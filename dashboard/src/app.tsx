/** The whole page: who looks, the frame, and the page that the address names. */

import { useSignal } from "@preact/signals";
import { Component, type ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Problem } from "./api";
import { Frame } from "./frame";
import { listen } from "./live";
import { match, place } from "./router";
import { isOpen, ROUTES, type Route } from "./routes";
import { look, session, tellsAll } from "./session";
import { signedOut } from "./signedout";
import { SignIn } from "./signin";
import { Head } from "./ui/bits";
import { Questions } from "./ui/dialog";
import { Empty, Trouble, Waiting } from "./ui/shown";
import { Toasts } from "./ui/toast";

const PATIENCE_MS = 3_000;

export function App() {
  const trouble = useSignal<Problem | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      try {
        await look();
        trouble.value = null;
      } catch (error) {
        trouble.value = error instanceof Problem ? error : new Problem(0, "", String(error));
        timer = setTimeout(ask, PATIENCE_MS);
      }
    };
    void ask();
    return () => clearTimeout(timer);
  }, []);
  useEffect(listen, []);
  if (session.value === null || signedOut.value) return <SignIn />;
  if (session.value === undefined)
    return <main class="alone">{trouble.value ? <Trouble problem={trouble.value} /> : <Waiting lines={3} />}</main>;
  return (
    <>
      <Frame>
        <Page />
      </Frame>
      <Questions />
      <Toasts />
    </>
  );
}

interface Found {
  route: Route;
  params: Record<string, string>;
}

function find(path: string): Found | null {
  for (const route of ROUTES) {
    const params = match(route.path, path);
    if (params) return { route, params };
  }
  return null;
}

function Page() {
  const { path } = place.value;
  const found = find(path);
  useEffect(() => {
    document.title = `${found?.route.title ?? "Nothing here"} · Ferryman`;
    const title = document.querySelector<HTMLElement>("main h1");
    // where somebody reads the page out, it goes on at the new title; who types into something is left there
    if (document.activeElement === document.body || document.activeElement?.closest("nav"))
      title?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [path]);
  if (!found) {
    return (
      <>
        <Head title="Nothing here" />
        <Empty title="There is nothing at this address.">
          <a href="#/">To the overview</a>
        </Empty>
      </>
    );
  }
  if (!isOpen(found.route))
    return (
      <Empty
        title={`Your API key opens no page ${found.route.title}: it ${tellsAll() ? `does not have the scope ${found.route.right ?? "read"}` : "is limited to queues"}.`}
      />
    );
  const Shown = found.route.page;
  return (
    <Guarded key={path}>
      <Shown params={found.params} />
    </Guarded>
  );
}

/** A page that breaks says so, and the others go on. */
class Guarded extends Component<{ children: ComponentChildren }, { broken: unknown }> {
  override state: { broken: unknown } = { broken: null };

  static override getDerivedStateFromError(broken: unknown) {
    return { broken };
  }

  override componentDidCatch(error: unknown) {
    console.error(error);
  }

  override render() {
    if (this.state.broken === null) return this.props.children;
    return (
      <Trouble
        problem={
          new Problem(
            0,
            "",
            `This page is broken: ${String(this.state.broken)}`,
            "It is a fault of the dashboard. The other pages go on.",
          )
        }
      />
    );
  }
}
