import { Head } from "../ui/bits";

export function Job() {
  return <Head title="Job" />;
}
