import { Head } from "../ui/bits";

export function NodePage() {
  return <Head title="Node" />;
}
