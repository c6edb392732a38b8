import { Head } from "../ui/bits";

export function QueuePage() {
  return <Head title="Queue" />;
}
