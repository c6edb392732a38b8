import { Head } from "../ui/bits";

export function TypePage() {
  return <Head title="Type" />;
}
