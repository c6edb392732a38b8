import { Head } from "../ui/bits";

export function Queues() {
  return <Head title="Queues" />;
}
