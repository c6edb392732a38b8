import { Head } from "../ui/bits";

export function Key() {
  return <Head title="Key" />;
}
