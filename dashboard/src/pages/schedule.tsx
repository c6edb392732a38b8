import { Head } from "../ui/bits";

export function SchedulePage() {
  return <Head title="Schedule" />;
}
