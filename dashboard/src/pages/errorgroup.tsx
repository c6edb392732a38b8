import { Head } from "../ui/bits";

export function ErrorGroup() {
  return <Head title="Error" />;
}
