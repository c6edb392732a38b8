import { Head } from "../ui/bits";

export function Overview() {
  return <Head title="Overview" />;
}
