import { Head } from "../ui/bits";

export function Audit() {
  return <Head title="Audit log" />;
}
