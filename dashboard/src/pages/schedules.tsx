import { Head } from "../ui/bits";

export function Schedules() {
  return <Head title="Schedules" />;
}
