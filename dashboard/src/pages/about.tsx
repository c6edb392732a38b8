import { Head } from "../ui/bits";

export function About() {
  return <Head title="About" />;
}
