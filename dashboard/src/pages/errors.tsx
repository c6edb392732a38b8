import { Head } from "../ui/bits";

export function Errors() {
  return <Head title="Errors" />;
}
