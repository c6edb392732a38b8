import { Head } from "../ui/bits";

export function Nodes() {
  return <Head title="Nodes" />;
}
