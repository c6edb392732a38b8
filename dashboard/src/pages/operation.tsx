import { Head } from "../ui/bits";

export function OperationPage() {
  return <Head title="Operation" />;
}
