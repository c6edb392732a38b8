import { Head } from "../ui/bits";

export function Operations() {
  return <Head title="Operations" />;
}
