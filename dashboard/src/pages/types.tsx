import { Head } from "../ui/bits";

export function Types() {
  return <Head title="Types" />;
}
